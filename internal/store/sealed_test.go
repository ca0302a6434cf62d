package store_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"kabar"
	"kabar/internal/secrets"
	"kabar/internal/store"
	"kabar/internal/storetest"
)

// addAll stores nouns and brings them to their last state before removal.
func addAll(t *testing.T, s *storetest.Env, all []*noun) {
	t.Helper()
	for _, n := range all {
		for _, do := range []func(*store.Tx) error{n.add, n.change} {
			if do != nil {
				s.Write(t, do)
			}
		}
	}
}

// TestSealedColumnsHideWhatTheyHold looks for what was stored, and for what it replaced, in every column and in the files.
func TestSealedColumnsHideWhatTheyHold(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		const secret = "xyzq-CANARY"
		addAll(t, s, nouns(t, s, s.A, secret))
		for _, place := range s.Find(t, secret) {
			t.Errorf("found %s", place)
		}
		s.Close(t) // the checkpoint moves everything into the file
		for _, place := range s.Find(t, secret) {
			t.Errorf("after the close, found %s", place)
		}
		if len(s.Find(t, "hello_xyzq")) == 0 {
			t.Error("the name of the template, which lies open, was not found: the search is no good")
		}
		s.Reopen(t)
	})
}

// TestMovedAndDamagedCiphertextIsRefused exchanges, for every sealed column there is, the values of two rows, then damages
// one. What is read afterwards must be right or an error, and something must be an error.
func TestMovedAndDamagedCiphertextIsRefused(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		s.Options.Keep = -1 // what is changed behind the store's back must be read
		s.Reopen(t)
		all := append(nouns(t, s, s.A, "aaaa-secret"), nouns(t, s, s.B, "bbbb-secret")...)
		addAll(t, s, all)
		sealed := 0
		for _, c := range s.Columns(t) {
			switch {
			case c.Type != "BYTEA",
				c.Table == "message" && c.Name == "events", // the seqs of events lie open, as the events' keys do
				c.Table == "delivery_log",                  // when which seq was taken: nothing of what events say
				c.Table == "audit" && c.Name == "mac":      // VerifyAudit looks at it, and has tests of its own
				continue
			}
			sealed++
			where := "1 = 1"
			if c.Table == "meta" {
				where = "name NOT IN ('audit-end', 'secret/audit')" // again VerifyAudit's
			}
			rows := s.Query(t, fmt.Sprintf("SELECT %s FROM %s WHERE %s ORDER BY %s", c.Name, c.Table, where, c.Name))
			a, b := []byte(rows[0][0]), []byte(rows[len(rows)-1][0])
			if len(rows) < 2 || bytes.Equal(a, b) {
				t.Fatalf("%s has no two different values", c)
			}
			swap := func() {
				exec(t, s, fmt.Sprintf("UPDATE %[1]s SET %[2]s = CASE WHEN %[2]s = $1 THEN $2 ELSE $1 END WHERE %[2]s IN ($1, $2)", c.Table, c.Name), a, b)
			}
			swap()
			refused(t, s, all, c, "exchanged")
			swap() // back
			damaged := bytes.Clone(a)
			damaged[len(damaged)/2] ^= 4
			update := fmt.Sprintf("UPDATE %[1]s SET %[2]s = $2 WHERE %[2]s = $1", c.Table, c.Name)
			exec(t, s, update, a, damaged)
			refused(t, s, all, c, "damaged")
			exec(t, s, update, damaged, a)
			if s.DB == nil {
				s.Reopen(t)
			}
		}
		if sealed < 15 {
			t.Errorf("only %d sealed columns were found", sealed)
		}
		s.Reopen(t)
		checkAll(t, s, all, "after all was put right")
	})
}

func exec(t *testing.T, s *storetest.Env, text string, args ...any) {
	t.Helper()
	if err := s.Exec(t, text, args...); err != nil {
		t.Fatal(err)
	}
}

// refused reads every noun and wants at least one error and no wrong value.
func refused(t *testing.T, s *storetest.Env, all []*noun, c storetest.Column, how string) {
	t.Helper()
	if c.Name == "key" || c.Table == "meta" { // keys are kept in memory: a restart reads them again
		s.Close(t)
		db, err := store.Open(t.Context(), s.Options)
		if errors.Is(err, store.ErrMasterKey) || errors.Is(err, secrets.ErrSealed) {
			return
		}
		if err != nil {
			t.Errorf("%s %s: open: %v", c, how, err)
			return
		}
		s.DB = db
	}
	noticed := false
	look := func(n *noun, got any, err error) {
		var missing *store.NotFoundError
		switch {
		case errors.As(err, &missing):
			t.Errorf("%s %s: the %s is said to be missing", c, how, n.name)
		case err != nil:
			noticed = true
		case !same(got, n.want()):
			t.Errorf("%s %s: %s: read %+v, want %+v or an error", c, how, n.name, got, n.want())
		}
	}
	for _, n := range all {
		if n.read != nil {
			got, err := n.read()
			look(n, got, err)
		}
	}
	s.Write(t, func(tx *store.Tx) error {
		for _, n := range all {
			if n.inside != nil {
				got, err := n.inside(tx)
				look(n, got, err)
			}
		}
		return nil
	})
	if !noticed {
		t.Errorf("%s %s: nobody notices", c, how)
	}
}

func TestAnOlderValueOfADriverEntryIsRefused(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		s.Options.Keep = -1
		s.Reopen(t)
		s.Write(t, func(tx *store.Tx) error { return tx.SetState(s.A, "ratchet", 0, []byte("first")) })
		old := s.Query(t, "SELECT value FROM driver_state")[0][0]
		s.Write(t, func(tx *store.Tx) error { return tx.SetState(s.A, "ratchet", 1, []byte("second")) })
		exec(t, s, "UPDATE driver_state SET value = $1", []byte(old))
		if v, _, err := s.DB.State(t.Context(), s.A.ID, "ratchet"); !errors.Is(err, secrets.ErrSealed) {
			t.Errorf("State = %q, %v; want ErrSealed", v, err)
		}
	})
}

func TestAnotherMasterKeyIsRefused(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		s.Close(t)
		o := s.Options
		o.Master = secrets.NewKey()
		if _, err := store.Open(t.Context(), o); !errors.Is(err, store.ErrMasterKey) {
			t.Fatalf("Open with another master key = %v, want ErrMasterKey", err)
		}
		if id, err := store.SealedUnder(t.Context(), s.Options); err != nil || id != s.Options.Master.ID() {
			t.Errorf("SealedUnder = %q, %v; want %s", id, err, s.Options.Master.ID())
		}
		empty := s.Fresh(t) // with no number in it, there is still something to notice it by
		for i := range 2 {
			db, err := store.Open(t.Context(), empty)
			if err == nil {
				err = db.Close()
			}
			if wrong := i == 1; errors.Is(err, store.ErrMasterKey) != wrong || (err != nil && !wrong) {
				t.Errorf("Open %d of an empty store = %v, want ErrMasterKey: %v", i, err, wrong)
			}
			empty.Master = secrets.NewKey()
		}
		s.Reopen(t) // the right one still opens it: nothing was changed
		if n, _, err := s.DB.Number(t.Context(), s.A.ID); err != nil || n.Profile.Name != "Alpha" {
			t.Errorf("Number = %+v, %v", n, err)
		}
	})
}

func TestASecretIsMadeOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		made := 0
		get := func() string {
			b, err := s.DB.Secret(t.Context(), "tokens", func() []byte { made++; return []byte(strings.Repeat("k", made)) })
			if err != nil {
				t.Fatal(err)
			}
			return string(b)
		}
		first := get()
		again := get()
		s.Reopen(t)
		if after := get(); first != again || first != after || made != 1 {
			t.Errorf("secrets %q, %q, %q, made %d times; want one, made once", first, again, after, made)
		}
	})
}

func TestPublicNumbersSurviveARestartAndLeadBack(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		ref, medium := s.DB.Ref(4711), s.DB.HideMedia(4711)
		s.Reopen(t)
		if s.DB.Ref(4711) != ref || s.DB.HideMedia(4711) != medium {
			t.Error("a restart has changed the public numbers")
		}
		if ref == medium {
			t.Error("a message and a medium have the same public number")
		}
		if id := s.DB.Deref(ref); id != kabar.MessageID(4711) {
			t.Errorf("Deref = %d, want 4711", id)
		}
		if id := s.DB.RevealMedia(medium); id != kabar.MediaID(4711) {
			t.Errorf("RevealMedia = %d, want 4711", id)
		}
	})
}
