//go:build !unix

package storetest

import (
	"fmt"
	"net/url"
)

// startServer starts nothing here: it needs a Unix shell and socket.
func startServer() (*url.URL, func() error, error) {
	return nil, nil, fmt.Errorf("%w: not on this system", errNone)
}
