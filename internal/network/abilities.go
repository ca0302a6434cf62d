package network

import (
	"context"
	"io"
	"time"

	"kabar"
)

// MediaCarrier is a network that carries media beside messages.
type MediaCarrier interface {
	// Upload encrypts and stores size plain bytes and returns the locator for Outgoing.Medium. It holds for every
	// customer of the number until expires.
	Upload(ctx context.Context, plain io.Reader, size int64) (locator []byte, expires time.Time, err error)
	// Download fetches and decrypts a medium. The returned reader fails, before its end, if a byte is not genuine.
	Download(ctx context.Context, m *kabar.RemoteMedium) (io.ReadCloser, error)
}

// Directory is a network that knows who is on it.
type Directory interface {
	// Lookup reports for each handle whether the network knows it.
	Lookup(ctx context.Context, handles []string) ([]bool, error)
}

// Typist is a network that shows the customer that somebody is writing. The signal is never stored and may be lost.
type Typist interface {
	Typing(ctx context.Context, to kabar.Customer, s State) error
}

// Linked is a network that has a connection to lose.
type Linked interface {
	// Link reports whether the connection stands, and since when it has or has not.
	Link() (connected bool, since time.Time)
}
