package relay_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"kabar"
	"kabar/internal/network/networktest"
	"kabar/internal/network/relay"
	"kabar/internal/patience"
	"kabar/internal/relayclient"
)

// after starts a desk whose store is set back to a moment before more keys were published: the directory has one-time keys
// whose private halves are lost, and those alone. back does the setting back.
func (r *rig) after(back func(d *networktest.Desk, s networktest.Snapshot)) *networktest.Desk {
	r.t.Helper()
	d, taker := r.desk(), r.handset()
	backup := d.Store.Snapshot()
	for range 95 { // both kinds are replenished in the life that is lost
		taker.bundle()
		time.Sleep(time.Millisecond)
	}
	patience.Until(r.t, "both kinds are replenished", func() bool { return has(d, "onetime") > 100 && has(d, "kem") > 60 })
	patience.Until(r.t, "what the backup holds is used up", func() bool {
		b := taker.bundle()
		return b.OneTime != nil && b.OneTime.ID > 152 && !b.KEMLastResort && b.KEM.ID > 152
	})
	back(d, backup)
	return d
}

// wantAllRead has new customers say something in sessions of their own. Nothing of it may be unreadable.
func (r *rig) wantAllRead(d *networktest.Desk, customers int) {
	r.t.Helper()
	for range customers {
		p := r.handset()
		p.Say("hello")
		patience.Until(r.t, "it is heard, or cannot be read", func() bool { return len(d.Heard(p, isText))+len(d.Heard(p, isGarbled)) > 0 })
		if len(d.Heard(p, isGarbled)) > 0 {
			r.t.Fatal("a customer was given a key whose private half is lost")
		}
	}
}

func TestARestoreReplacesTheOneTimeKeys(t *testing.T) {
	for name, back := range map[string]func(d *networktest.Desk, s networktest.Snapshot){
		"by kabar restore": func(d *networktest.Desk, s networktest.Snapshot) {
			d.Stop()
			restoreBackup(t, d, s)
			d.Start()
		},
		"of a login ago": func(d *networktest.Desk, s networktest.Snapshot) {
			d.Restart()
			d.Stop()
			d.Store.Restore(s)
			d.Start()
		},
		"within one login": func(d *networktest.Desk, s networktest.Snapshot) {
			d.Stop()
			d.Store.Restore(s)
			d.Start()
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			d := r.after(back)
			r.wantAllRead(d, 12)
			before := has(d, "signed")
			d.Restart()
			if has(d, "signed") != before {
				t.Error("the keys were replaced once more at the next start")
			}
			r.wantAllRead(d, 2)
		})
	}
}

// The line breaks when the keys that replace the lost ones have been committed, and the process ends.
func TestKeysAreReplacedAtTheNextStart(t *testing.T) {
	r := newRig(t)
	d := r.after(func(d *networktest.Desk, s networktest.Snapshot) {
		d.Stop()
		restoreBackup(t, d, s)
		var cut atomic.Bool
		held := has(d, "signed")
		d.Store.Around(func(_ context.Context, _ kabar.Update, commit func() error) error {
			err := commit()
			if has(d, "signed") > held && !cut.Swap(true) {
				r.wire.set(false)
			}
			return err
		})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			_ = r.driver().Run(ctx, d.Store) // it ends with ctx
		}()
		patience.Until(t, "new keys are committed", cut.Load)
		cancel()
		<-done
		d.Store.Around(nil)
		r.wire.set(true)
		d.Start()
	})
	r.wantAllRead(d, 12)
}

// A relay of an earlier build would keep the old keys beside the new ones, and refuse more than 1,000.
func TestAnOldRelayGetsNoMoreKeysThanItLacks(t *testing.T) {
	for _, c := range []struct {
		info         relayclient.LoginInfo
		setBack      bool
		oneTime, kem int
	}{
		{relayclient.LoginInfo{}, false, 100, 50},
		{relayclient.LoginInfo{}, true, 100, 50},
		{relayclient.LoginInfo{OneTime: 24, OneTimeKEM: 25, HighestID: 152}, false, 76, 0},
		{relayclient.LoginInfo{OneTime: 60, OneTimeKEM: 10, HighestID: 152}, true, 100, 50},
		{relayclient.LoginInfo{OneTime: 60, OneTimeKEM: 10}, true, 0, 40},
	} {
		if oneTime, kem := relay.Lacking(c.info, c.setBack); oneTime != c.oneTime || kem != c.kem {
			t.Errorf("%+v, set back %t: %d and %d keys are made, want %d and %d", c.info, c.setBack, oneTime, kem, c.oneTime, c.kem)
		}
	}
}
