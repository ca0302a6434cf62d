package relay_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"kabar"
	"kabar/internal/network"
	"kabar/internal/network/networktest"
	"kabar/internal/patience"
)

// restoreBackup sets the store back as kabar restore does: without sessions, and with the entry that tells the driver.
func restoreBackup(t *testing.T, d *networktest.Desk, backup networktest.Snapshot, customers ...*handset) {
	t.Helper()
	d.Store.Restore(backup)
	keys := []string{network.RestoredKey}
	for _, c := range customers {
		keys = append(keys, network.SessionPrefix+c.Customer().Handle())
	}
	s, err := d.Store.State(t.Context(), keys...)
	if err != nil {
		t.Fatal(err)
	}
	change := network.Change{{Key: network.RestoredKey, Version: s[network.RestoredKey].Version, Value: []byte("now")}}
	for key, entry := range s {
		if key != network.RestoredKey {
			change = append(change, network.Set{Key: key, Version: entry.Version})
		}
	}
	if len(change) != 1+len(customers) {
		t.Fatalf("the backup had %d sessions, want %d", len(change)-1, len(customers))
	}
	if err := d.Store.Deliver(t.Context(), kabar.Update{}, change); err != nil {
		t.Fatal(err)
	}
}

// nextID returns the id of the device's next prekey.
func nextID(t *testing.T, d *networktest.Desk) uint32 {
	t.Helper()
	s, err := d.Store.State(t.Context(), "device")
	if err != nil {
		t.Fatal(err)
	}
	var dev struct {
		NextID uint32 `json:"next_id"`
	}
	if err := json.Unmarshal(s["device"].Value, &dev); err != nil {
		t.Fatal(err)
	}
	return dev.NextID
}

// TestARestoredBackup makes a backup during a connection and restores it twice. The relay need not notice anything: it knows
// of no later login than the backup does. Nothing is lost from then on, in whichever direction is spoken first, no key is
// used twice. The ids of prekeys leap by chance; should two restores come to the same, the relay refuses and names its highest.
func TestARestoredBackup(t *testing.T) {
	r := newRig(t)
	d, ana, budi := r.desk(), r.handset(), r.handset()
	want := []string{"first"}
	for _, p := range []*handset{ana, budi} {
		d.Send(d.Text(p, "first"))
		patience.Until(t, "shown", func() bool { return len(p.Shown()) == 1 })
		p.Say("hello")
		d.Await(p, "a text", 1, isText)
	}
	backup, top, texts := d.Store.Snapshot(), nextID(t, d), 1
	for life := range 3 {
		for i := range 3 { // in the first life in the session of the backup, later in one of the life's own
			body := fmt.Sprint("life ", life, " message ", i)
			want = append(want, body)
			d.Send(d.Text(ana, body))
		}
		patience.Until(t, "all is shown", func() bool { return len(ana.Shown()) == len(want) })
		texts++
		ana.Say(fmt.Sprint("answer ", life))
		d.Await(ana, "an answer", texts, isText)
		if life == 2 {
			break
		}
		d.Stop()
		restoreBackup(t, d, backup, ana, budi)
		d.Start()
		patience.Until(t, "the ids have leapt", func() bool { return nextID(t, d) > top+1<<20 })
		if s, _ := d.Store.State(t.Context(), network.RestoredKey); len(s) != 0 {
			t.Errorf("the entry of the restore is still there")
		}
	}
	budi.Say("are you there?") // in a session that only Budi has
	answerGarbled(t, d, budi, 2)
	if got := d.Texts(budi); !slices.Equal(got, []string{"hello", "are you there?"}) {
		t.Errorf("budi has said %q", got)
	}
	if got := networktest.Bodies(ana); !slices.Equal(got, want) {
		t.Errorf("ana is shown %q", got)
	}
	places(t, d.Store.Log())
}

// TestWhatWasOnItsWay has two messages that were encrypted when the backup was made, in a session that is gone afterwards, and
// one that was not. The lost life has sent the first and the third. All go out again: each is shown, and none twice.
func TestWhatWasOnItsWay(t *testing.T) {
	r := newRig(t)
	d, ana := r.desk(), r.handset()
	d.Send(d.Text(ana, "hello"))
	ana.Say("hello")
	d.Await(ana, "a text", 1, isText)
	first, err := d.Pack(d.Text(ana, "first"))
	if err != nil {
		t.Fatal(err)
	}
	second, err := d.Pack(d.Text(ana, "second"))
	if err != nil {
		t.Fatal(err)
	}
	third, backup := d.Text(ana, "third"), d.Store.Snapshot()
	if err := d.Transmit(first); err != nil {
		t.Fatal(err)
	}
	d.Send(third)
	patience.Until(t, "what the lost life has sent is shown", func() bool { return len(ana.Shown()) == 3 })
	d.Stop()
	restoreBackup(t, d, backup, ana)
	d.Start()
	third.Opened = false
	d.Send(third) // in a new session
	for _, p := range []network.Packet{first, second, first} {
		if err := d.Transmit(p); err != nil {
			t.Fatal(err)
		}
	}
	d.Send(d.Text(ana, "last"))
	patience.Until(t, "all are shown", func() bool { return len(ana.Shown()) >= 5 })
	if got := networktest.Bodies(ana); !slices.Equal(got, []string{"hello", "first", "third", "second", "last"}) {
		t.Errorf("ana is shown %q", got)
	}
	places(t, d.Store.Log())
}
