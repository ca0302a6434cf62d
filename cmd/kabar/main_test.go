package main

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"

	"kabar"
	"kabar/internal/store"
)

// sqliteError is one of the driver's, with SQLite's extended code.
type sqliteError int

func (e sqliteError) Error() string { return fmt.Sprintf("disk I/O error (%d)", int(e)) }
func (e sqliteError) Code() int     { return int(e) }

// A store that cannot be written says little of itself: what to look at is said behind it, and behind nothing else.
func TestWhatToLookAt(t *testing.T) {
	for _, c := range []struct {
		err  error
		said bool
	}{
		{fmt.Errorf("open the store: %w", sqliteError(4874)), true},
		{sqliteError(13), true},
		{sqliteError(19), false}, // a constraint
		{store.Refusal(&store.UnavailableError{Err: errors.New("full")}), true},
		{&store.UnavailableError{Err: errors.New("full")}, true},
		{fmt.Errorf("write x: %w", syscall.ENOSPC), true},
		{kabar.Refuse(kabar.ReasonInvalid, "x", "y"), false},
		{&usageError{errors.New("x")}, false},
	} {
		if got := storeHint(c.err); strings.Contains(got, "kabar doctor") != c.said {
			t.Errorf("%v: %q", c.err, got)
		}
	}
}
