package engine

import (
	"context"
	"time"

	"kabar"
	"kabar/internal/store"
)

// Fact is something that has happened to a message of a number, for statistics.
type Fact int

// The facts.
const (
	FactArrived    Fact = iota // the network has handed over a message of a customer, decrypted
	FactReceived               // a message of a customer is committed and published
	FactAccepted               // an application's message is committed
	FactMoved                  // an outbound message has a new status: Note.Status
	FactDownloaded             // a medium of a customer is stored
	FactUploaded               // a medium is at the network
)

// Note is a fact about a number's message. Took is how long a message took from being accepted to being sent; 0 with all
// others.
type Note struct {
	Number kabar.NumberID
	Fact   Fact
	Status kabar.Status
	Took   time.Duration
}

// note tells whoever counts.
func (e *Engine) note(n Note) {
	if e.noted != nil {
		e.noted(n)
	}
}

// Pending returns how many messages of a number wait to be sent, and how many of its customers' wait for their medium.
func (e *Engine) Pending(ctx context.Context, n kabar.NumberID) (out, in int64, err error) {
	counts, err := e.db.JobCounts(ctx, n)
	return counts[jobSend] + counts[jobResend], counts[jobFetch], store.Refusal(err)
}

// Census counts a number's customers and messages; it reads all of them.
func (e *Engine) Census(ctx context.Context, n kabar.NumberID) (*store.Census, error) {
	c, err := e.db.Census(ctx, n)
	return c, store.Refusal(err)
}
