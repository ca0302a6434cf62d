package relay

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"kabar"
	"kabar/internal/network"
	"kabar/internal/relayclient"
)

// stuck is an engine whose store does not answer.
type stuck struct{}

func (stuck) State(ctx context.Context, _ ...string) (network.State, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func (stuck) Deliver(ctx context.Context, _ kabar.Update, _ network.Change) error {
	<-ctx.Done()
	return ctx.Err()
}

func (stuck) Ready() {}

// A relay that sends on without being told that anything was stored fills no memory: the connection ends.
func TestAFloodEndsTheConnection(t *testing.T) {
	r := newReceiver(t.Context(), New(Options{}), stuck{}, nil)
	defer r.wait()
	for i := range maxHeld {
		r.envelope(relayclient.Delivery{Seq: uint64(i), From: relayclient.Address{Account: fmt.Sprint(i % 10)}})
	}
	if err := context.Cause(r.ctx); err != nil {
		t.Fatalf("after %d envelopes: %v", maxHeld, err)
	}
	r.expired(relayclient.Expiry{Seq: maxHeld, To: relayclient.Address{Account: "1"}})
	if err := context.Cause(r.ctx); !errors.Is(err, errFlood) {
		t.Errorf("one more: %v", err)
	}
}
