package web

import (
	"log/slog"
	"net/http"
	"time"
)

// Limits of a server: what a client may cost before its request is understood.
const (
	maxHeaderBytes    = 16 << 10
	readHeaderTimeout = 5 * time.Second // bounds the TLS handshake, too
	idleTimeout       = 60 * time.Second
)

// Server returns a server for handler with our limits: 16 KiB of headers, sent within 5 seconds; an idle connection is
// closed after 60. HTTP/1.1, and HTTP/2 over TLS. Complaints of net/http go to log as warnings.
//
// ReadTimeout and WriteTimeout are left open on purpose: they would cut uploads, downloads and event streams in the
// middle. Bodies keep a pace instead ([ReadBody], [Body]), and answers get [WriteDeadline].
func Server(handler http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           handler,
		MaxHeaderBytes:    maxHeaderBytes,
		ReadHeaderTimeout: readHeaderTimeout,
		IdleTimeout:       idleTimeout,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),

		DisableGeneralOptionsHandler: true, // "OPTIONS *" goes to the handler like everything else
	}
}

// How long a large answer may take to be read: a grace, and then so many bytes a second.
const (
	answerGrace = 30 * time.Second
	answerPace  = 16 << 10
)

// Pace gives an answer of size bytes the time it may take, whatever [WriteDeadline] has for short ones.
func Pace(w http.ResponseWriter, size int64) {
	d := answerGrace + time.Duration(size/answerPace)*time.Second
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(d)) // recorders of tests have none
}
