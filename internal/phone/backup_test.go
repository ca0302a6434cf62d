package phone_test

import (
	"database/sql"
	"fmt"
	"os"
	"testing"

	"kabar/internal/patience"
)

// backup returns the store of a phone that is stopped.
func (h *handsets) backup() []byte {
	h.t.Helper()
	b, err := os.ReadFile(h.options.Path)
	if err != nil {
		h.t.Fatal(err)
	}
	return b
}

// setBack puts a backup in the place of the store of a phone that is stopped.
func (h *handsets) setBack(backup []byte) {
	h.t.Helper()
	for _, suffix := range []string{"-wal", "-shm"} {
		_ = os.Remove(h.options.Path + suffix)
	}
	if err := os.WriteFile(h.options.Path, backup, 0o600); err != nil {
		h.t.Fatal(err)
	}
}

// count returns the number that a query finds in the store.
func (h *handsets) count(query string) (n int) {
	h.t.Helper()
	h.store(func(db *sql.DB) {
		if err := db.QueryRow(query).Scan(&n); err != nil {
			h.t.Fatal(err)
		}
	})
	return n
}

// A phone that is set back to an earlier state must not use a message key again.
func TestAStoreFromABackup(t *testing.T) {
	h, b := together(t)
	ana := h.customer("Ana")
	h.writes(ana, "one")
	b.expectText("one")
	b.text(ana, "hi")
	h.expectText(ana, "hi")
	h.stop()
	backup := h.backup()
	h.start()
	h.writes(ana, "two")
	b.expectText("two")
	h.stop()
	h.setBack(backup)
	h.start()
	h.writes(ana, "three")
	b.expectText("three")
	b.text(ana, "welcome back")
	h.expectText(ana, "welcome back")
	if n := len(b.unreadable()); n != 0 {
		t.Errorf("%d envelopes could not be read", n)
	}
}

// What waited when the backup was made may have left since, in an envelope that the relay remembers: under the same id it would
// drop what is encrypted anew.
func TestWhatWaitedInABackupLeavesInAnotherEnvelope(t *testing.T) {
	h, b := together(t)
	ana := h.customer("Ana")
	h.writes(ana, "one")
	b.expectText("one")
	h.patch(ana, `{"online":false}`)
	h.writes(ana, "two")
	h.stop()
	backup := h.backup()
	for _, end := range []string{"end of a life that is lost", "end"} {
		h.start()
		h.patch(ana, `{"online":true}`)
		h.writes(ana, end)
		b.expectText(end)
		h.stop()
		h.setBack(backup)
	}
	envelopes := map[string]bool{}
	patience.Until(t, "both are there", func() bool {
		for _, a := range b.all(func(a arrived) bool { return textOf(a) == "two" }) {
			envelopes[a.envelope] = true
		}
		return len(envelopes) == 2
	})
}

// A phone that is set back has lost private halves of what it published since. None of those keys is served any more, also
// when the process ends before the new ones are in the directory.
func TestAStoreFromABackupReplacesItsKeys(t *testing.T) {
	h, b := together(t)
	ana := h.customer("Ana")
	h.stop()
	backup := h.backup()
	h.start()
	for range 24 { // the 20 of the backup, and some that were published since
		b.open(ana)
	}
	b.text(ana, "before")
	h.expectText(ana, "before")
	h.stop()
	h.setBack(backup)
	h.exec("CREATE TRIGGER full BEFORE INSERT ON prekeys BEGIN SELECT raise(ABORT, 'no room'); END")
	h.start() // it notices, and cannot make new keys
	setBack := func() bool { return h.count("SELECT set_back FROM customers") == 1 }
	patience.Until(t, "the phone knows that it was set back", setBack)
	h.stop()
	h.exec("DROP TRIGGER full")
	h.start()
	patience.Until(t, "the lost keys are replaced", func() bool { return !setBack() })
	for i := range 8 {
		b.open(ana)
		b.text(ana, fmt.Sprint("after ", i))
		h.expectText(ana, fmt.Sprint("after ", i))
	}
	h.stop()
	if n := h.count("SELECT count(*) FROM dead"); n != 0 {
		t.Errorf("%d envelopes could not be read", n)
	}
}
