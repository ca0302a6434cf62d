package store_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"kabar"
	"kabar/internal/secrets"
	"kabar/internal/store"
	"kabar/internal/storetest"
)

func providerNoun(t *testing.T, s *storetest.Env, n *kabar.Number, tag string) *noun {
	p := &kabar.Provider{Name: "cdn-" + tag[:4], Username: "u", Password: tag}
	want := p
	return &noun{name: "media provider", add: func(tx *store.Tx) error { return tx.SaveProvider(n, p) },
		change: func(tx *store.Tx) error {
			want = &kabar.Provider{Name: p.Name, Bearer: "new " + tag}
			return tx.SaveProvider(n, want)
		},
		remove: func(tx *store.Tx) error { want = nil; return tx.RemoveProvider(n.ID, p.Name) },
		read:   func() (any, error) { return s.DB.Provider(t.Context(), n.ID, p.Name) },
		want:   func() any { return orNil(want) }}
}

// medium adds a medium with these bytes, which came in a file.
func medium(t *testing.T, s *storetest.Env, n *kabar.Number, sum, file string, at time.Time) *store.Medium {
	t.Helper()
	m := &store.Medium{Account: n.Account, Number: n.ID, MIME: "image/png", SHA256: sum, File: file, Key: secrets.NewKey(), Created: at}
	s.Write(t, func(tx *store.Tx) error { return tx.AddMedium(m) })
	return m
}

func TestEqualBytesLieInOneFile(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		remove := func(m *store.Medium) (file string) {
			t.Helper()
			s.Write(t, func(tx *store.Tx) (err error) { file, err = tx.RemoveMedium(m.Number, m.ID); return err })
			return file
		}
		first, second := medium(t, s, s.A, "aa", "f1", s.Now), medium(t, s, s.A, "aa", "f2", s.Now)
		others, other := medium(t, s, s.B, "aa", "f3", s.Now), medium(t, s, s.A, "bb", "f4", s.Now)
		for m, file := range map[*store.Medium]string{first: "f1", second: "f1", others: "f3", other: "f4"} {
			stored, err := s.DB.Medium(t.Context(), m.Number, m.ID)
			if err != nil || m.File != file || stored.File != file {
				t.Errorf("%+v is stored as %+v (%v), want the file %s", m, stored, err, file)
			}
			if sealed := m.Key.Seal([]byte("x"), nil); err == nil {
				if _, err := stored.Key.Open(sealed, nil); err != nil {
					t.Errorf("the file %s has another key: %v", file, err)
				}
			}
		}
		if got := remove(first); got != "" {
			t.Errorf("the file %q is to go while a medium lies in it", got)
		}
		third := medium(t, s, s.A, "aa", "f5", s.Now)
		if got := []string{remove(second), remove(third), remove(other), remove(others)}; fmt.Sprint(got) != "[ f1 f4 f3]" {
			t.Errorf("files to go: %q", got)
		}
		if last := medium(t, s, s.A, "aa", "f6", s.Now); last.File != "f6" {
			t.Errorf("after the last medium was removed a new one lies in %s", last.File)
		}
	})
}

// A file that cannot be read any more is replaced by the next upload of its bytes.
func TestALostFileIsReplaced(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		lost := medium(t, s, s.A, "aa", "f1", s.Now)
		next := &store.Medium{Account: s.A.Account, Number: s.A.ID, SHA256: "aa", File: "f2", Key: secrets.NewKey(), Created: s.Now, Replace: true}
		var gone, stays string
		s.Write(t, func(tx *store.Tx) error { return tx.AddMedium(next) })
		after := medium(t, s, s.A, "aa", "f3", s.Now)
		s.Write(t, func(tx *store.Tx) (err error) {
			if gone, err = tx.RemoveMedium(s.A.ID, lost.ID); err != nil {
				return err
			}
			stays, err = tx.RemoveMedium(s.A.ID, next.ID)
			return err
		})
		if next.File != "f2" || after.File != "f2" || gone != "f1" || stays != "" {
			t.Errorf("files %s and %s; %q and %q are to go", next.File, after.File, gone, stays)
		}
	})
}

func TestProvidersAreListedByName(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		s.Write(t, func(tx *store.Tx) error {
			return errors.Join(tx.SaveProvider(s.A, &kabar.Provider{Name: "b", Bearer: "x"}), tx.SaveProvider(s.A, &kabar.Provider{Name: "a", Bearer: "y"}),
				tx.SaveProvider(s.B, &kabar.Provider{Name: "c", Bearer: "z"}))
		})
		all, err := s.DB.Providers(t.Context(), s.A.ID)
		if err != nil || len(all) != 2 || all[0].Name != "a" || all[1].Name != "b" || all[1].Bearer != "x" {
			t.Errorf("%+v, %v", all, err)
		}
	})
}

func TestCollectMedia(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		old := s.Now.Add(-time.Hour)
		idle, used, young := medium(t, s, s.A, "aa", "f1", old), medium(t, s, s.A, "bb", "f2", old), medium(t, s, s.A, "cc", "f3", s.Now)
		shared, theirs := medium(t, s, s.A, "bb", "f4", old), medium(t, s, s.B, "aa", "f5", old)
		s.Write(t, func(tx *store.Tx) error { return tx.UseMedium(s.A.ID, used.ID, s.Now) })
		removed, files, err := s.DB.CollectMedia(t.Context(), s.A.ID, s.Now.Add(-time.Minute))
		if err != nil || removed != 2 || fmt.Sprint(files) != "[f1]" {
			t.Errorf("%d media and the files %q are collected (%v)", removed, files, err)
		}
		for m, left := range map[*store.Medium]bool{idle: false, shared: false, used: true, young: true, theirs: true} {
			if _, err := s.DB.Medium(t.Context(), m.Number, m.ID); (err == nil) != left {
				t.Errorf("%s: %v, want it there: %v", m.File, err, left)
			}
		}
		if removed, files, err := s.DB.CollectMedia(t.Context(), s.A.ID, s.Now.Add(-time.Minute)); removed != 0 || files != nil || err != nil {
			t.Errorf("the second time %d, %q, %v", removed, files, err)
		}
	})
}

func TestCollectMessages(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		c, theirs := talk(t, s, s.A, "491"), talk(t, s, s.B, "491")
		before := s.Now.Add(-time.Minute)
		add := func(tx *store.Tx, c *kabar.Conversation, st kabar.Status, at time.Time) *kabar.Message {
			m := &kabar.Message{Direction: kabar.Outbound, Status: st, Content: &kabar.Text{Body: "x"}, At: at}
			if err := tx.AppendMessage(c, m); err != nil {
				t.Fatal(err)
			}
			return m
		}
		var waiting, young, other *kabar.Message
		s.Write(t, func(tx *store.Tx) error {
			waiting = add(tx, c, kabar.Accepted, s.Now.Add(-time.Hour))
			for range 1500 {
				add(tx, c, kabar.Read, s.Now.Add(-time.Hour))
			}
			other = add(tx, theirs, kabar.Read, s.Now.Add(-time.Hour))
			add(tx, c, kabar.Failed, before)
			for range 3 {
				young = add(tx, c, kabar.Sent, before.Add(time.Millisecond))
			}
			return nil
		})
		removed, next := 0, kabar.MessageID(0)
		for {
			n, more, err := s.DB.CollectMessages(t.Context(), s.A.ID, next, before, nil)
			if err != nil {
				t.Fatal(err)
			}
			if removed, next = removed+n, more; next == 0 {
				break
			}
		}
		if removed != 1501 {
			t.Errorf("%d messages are collected, want 1501", removed)
		}
		for m, n := range map[*kabar.Message]kabar.NumberID{waiting: s.A.ID, young: s.A.ID, other: s.B.ID} {
			if _, err := s.DB.Message(t.Context(), n, m.ID); err != nil {
				t.Errorf("message %d: %v", m.ID, err)
			}
		}
		if all, err := s.DB.History(t.Context(), s.A.ID, c.ID, 0, 100); err != nil || len(all) != 3 {
			t.Errorf("the history has %d messages (%v), want 3", len(all), err)
		}
		if all, err := s.DB.History(t.Context(), s.A.ID, c.ID, waiting.ID+1, 100); err == nil {
			t.Errorf("the history from a message that is gone has %d", len(all))
		}
	})
}
