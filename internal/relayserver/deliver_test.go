package relayserver_test

import (
	"fmt"
	"sync"
	"testing"

	"kabar/internal/relayserver"
)

// What has just been stored is handed on without being read, also when many senders are answered in another order than their
// envelopes were stored in: each comes once, and in the order of the mailbox.
func TestManySendersAtOnceKeepTheMailboxsOrder(t *testing.T) {
	r := start(t, relayserver.NoLimits())
	rcpt := r.business("628").dial()
	got := rcpt.listen()
	const senders, each = 12, 50
	var wg sync.WaitGroup
	for i := range senders {
		c := r.device(fmt.Sprint(34600111000 + i)).dial()
		wg.Go(func() {
			for n := range each {
				c.send(to("628", fmt.Sprint(n)))
			}
		})
	}
	from := map[string]int{}
	for i := range senders * each {
		d := next(t, got.envelopes)
		if d.Seq != uint64(i+1) {
			t.Fatalf("envelope %d has seq %d", i+1, d.Seq)
		}
		if want := fmt.Sprint(from[d.From.Account]); string(d.Ciphertext) != want {
			t.Fatalf("%s: %q, want %s", d.From.Account, d.Ciphertext, want)
		}
		from[d.From.Account]++
		rcpt.ack(d.Seq)
	}
	wg.Wait()
	quiet(got, got.envelopes)
}
