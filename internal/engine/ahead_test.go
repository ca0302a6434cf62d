package engine_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"kabar"
	"kabar/internal/network"
)

// TestALongLaneIsDoneInOrder queues more than is looked at together, receipts among it, and adds to the lane while it is worked
// off.
func TestALongLaneIsDoneInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newEnv(t)
		v.hear(ana, "hi")
		settle()
		v.net.SetOffline(true)
		const offline, all, heard = 250, 300, 30
		for i := range offline {
			v.text(ana, fmt.Sprint(i))
			for j := 0; i == 90 && j < heard; j++ { // the receipts stand where the first look ends
				v.hear(ana, "are you there?")
			}
		}
		time.Sleep(time.Minute) // it is looked whether there is a network again
		v.restart()
		time.Sleep(time.Minute)
		v.net.SetOffline(false)
		for i := offline; i < all; i++ {
			v.text(ana, fmt.Sprint(i))
		}
		time.Sleep(time.Minute)
		next, receipts := 0, 0
		for _, p := range v.net.Packets() {
			var c kabar.Text
			switch p.Purpose {
			case network.PurposeReceipt:
				receipts += len(p.Receipt.Refs)
			case network.PurposeMessage:
				if err := json.Unmarshal(p.Content, &c); err != nil || c.Body != fmt.Sprint(next) {
					t.Fatalf("%q left where %d was due, %v", c.Body, next, err)
				}
				next++
			}
		}
		if next != all || receipts != 1+heard {
			t.Errorf("%d of %d messages left, and receipts for %d of %d", next, all, receipts, 1+heard)
		}
		if jobs, err := v.db.ScanJobs(t.Context(), 0, 1); err != nil || len(jobs) > 0 {
			t.Errorf("jobs are left: %v, %v", jobs, err)
		}
	})
}
