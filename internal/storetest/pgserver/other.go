//go:build !unix

package pgserver

import (
	"errors"
	"fmt"
	"net/url"
	"os"
)

// ErrNone says that there is no PostgreSQL to start here.
var ErrNone = errors.New("KABAR_TEST_POSTGRES is not set and there is no server to start")

// Server is a PostgreSQL server; there is none here: it needs a Unix shell and socket.
type Server struct{}

// Run starts nothing here.
func Run(bool) (*url.URL, func() error, error) {
	return nil, nil, fmt.Errorf("%w: not on this system", ErrNone)
}

// New makes nothing here.
func New(bool) (*Server, error) { return nil, fmt.Errorf("%w: not on this system", ErrNone) }

// URL returns nothing.
func (*Server) URL() *url.URL { return nil }

// Start does nothing.
func (*Server) Start() error { return ErrNone }

// Stop does nothing.
func (*Server) Stop() error { return nil }

// End does nothing.
func (*Server) End() error { return nil }

// PID returns nothing.
func (*Server) PID() (int, error) { return 0, ErrNone }

// Kill does nothing.
func (*Server) Kill(os.Signal) error { return ErrNone }
