package network

import (
	"context"
	"io"
	"time"

	"kabar"
)

// MediaCarrier is a network that carries media beside messages.
type MediaCarrier interface {
	// Upload encrypts and stores size plain bytes and returns the locator for Outgoing.Medium and Cards. It holds for every
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

// Aging is a network that has keys which come of age by the product's clock.
type Aging interface {
	// Shifted says that the clock has jumped. It returns when the keys are of this time again, or after a few seconds.
	Shifted()
}

// Identified is a network whose customers have keys of their own: whoever installs the app anew has others.
type Identified interface {
	// Identity returns the hash of the customer's keys as the driver's state has them; empty while it has none. It is pure, as
	// Prepare is, and needs the entries that Keys names. A driver that meets other keys than it knew, in Open say, sends to
	// those from then on: whether it may is the engine's to know.
	Identity(to kabar.Customer, s State) (hash string)
}

// Personal is a network whose driver keeps entries about each customer.
type Personal interface {
	// Entries names every entry of the driver's state that may be about the customer with this handle. It is pure. They are removed,
	// at any time, when the customer is erased: whoever comes back under the handle is met for the first time.
	Entries(handle string) []string
}

// Movable is a network whose registration of a number can go to another server: with the keys by which the network and the
// customers know the number, without sessions, so that no key of theirs is used twice. Leave and Arrive are pure, as Prepare is.
type Movable interface {
	// Movement names the entries of the driver's state that Leave and Arrive need.
	Movement() []string
	// Leave returns the number's keys as another server's driver takes them; nil while there are none. They are secret.
	Leave(s State) ([]byte, error)
	// Arrive returns the change that makes this server's driver the one that the keys belong to; no change if it is. It is for a
	// number that the network does not admit here: one that it does has keys that hold.
	Arrive(s State, keys []byte, now time.Time) (Change, error)
	// Arrived says that the change of Arrive has been committed: the driver goes by it from its next attempt to connect on.
	Arrived()
}
