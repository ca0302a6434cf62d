package feed_test

import (
	"errors"
	"maps"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"kabar"
	"kabar/internal/feed"
	"kabar/internal/storetest"
	"kabar/internal/trace"
)

// ready reports whether a follower has something to read.
func ready(w *feed.Follower) bool {
	select {
	case <-w.Ready():
		return true
	default:
		return false
	}
}

// TestFollow: who follows sees what happens from then on once it is said that something has, in pieces, and goes on elsewhere at a cursor.
func TestFollow(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		happen(t, s, 0, "AB")
		f := open(s)
		w, err := f.Follow(t.Context(), trace.Of{}, feed.Query{Dialect: kabar.Kabar})
		if err != nil {
			t.Fatal(err)
		}
		var seen []*feed.Entry
		cursors := []string{w.Cursor()}
		take := func(cursor string, e *feed.Entry) error {
			seen, cursors = append(seen, e), append(cursors, cursor)
			return nil
		}
		if !ready(w) || w.Read(t.Context(), 10, take) != nil || len(seen) != 0 || ready(w) {
			t.Fatalf("what was there before is told: %s", told(s, seen))
		}
		happen(t, s, 2, "AbAABA")
		if ready(w) || w.Read(t.Context(), 10, take) != nil || len(seen) != 0 {
			t.Fatalf("the log is read though nobody has said that it has grown: %s", told(s, seen))
		}
		f.Wake(s.A.ID)
		for ready(w) {
			if err := w.Read(t.Context(), 2, take); err != nil {
				t.Fatal(err)
			}
		}
		f.Wake(s.B.ID)
		if !ready(w) || w.Read(t.Context(), 10, take) != nil || told(s, seen) != "A2 A3 A4 A5 B3" {
			t.Fatalf("told %s", told(s, seen))
		}
		for i, cursor := range cursors {
			again, err := f.Follow(t.Context(), trace.Of{}, feed.Query{Dialect: kabar.Kabar, After: cursor})
			if err != nil {
				t.Fatal(err)
			}
			var rest []*feed.Entry
			fault := errors.New("enough")
			err = again.Read(t.Context(), 10, func(_ string, e *feed.Entry) error { rest = append(rest, e); return fault })
			want := strings.Fields(told(s, seen))[i:]
			if len(want) > 0 && (!errors.Is(err, fault) || len(rest) != 1) || len(want) == 0 && (err != nil || len(rest) != 0) {
				t.Errorf("after %d events: told %s, %v; then there are %s", i, told(s, rest), err, want)
			}
		}
	})
}

func TestCursorComesBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := feed.Cursor(rapid.MapOfN(rapid.StringMatching(`[1-9][0-9]{0,14}`), rapid.Int64Min(0), 0, feed.MaxNumbers).Draw(t, "cursor"))
		token := c.String()
		again, err := feed.ParseCursor(token)
		if err != nil || !maps.Equal(again, c) {
			t.Fatalf("%v is %s is %v, %v", c, token, again, err)
		}
		if len(token) > 8<<10 {
			t.Fatalf("a token of %d bytes does not fit into a header", len(token))
		}
	})
}

func FuzzParseCursor(f *testing.F) {
	f.Add("")
	f.Add("cur1_")
	f.Add("cur1_!")
	f.Add("cur1_gICAgICAgICAgICAAQ")
	f.Add(feed.Cursor{"15550001111": 12, "34600111222": 0}.String())
	f.Fuzz(func(t *testing.T, token string) {
		c, err := feed.ParseCursor(token)
		if err == nil && c.String() != token {
			t.Fatalf("%q is also %q", token, c)
		}
	})
}
