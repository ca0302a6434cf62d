package engine_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"kabar"
)

// TestWhatIsCounted: every message once when it is committed, and every further status once.
func TestWhatIsCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newEnv(t)
		var mu sync.Mutex
		var all []string
		v.close()
		v.counts = func(k kabar.Kind, s kabar.Status, r kabar.Reason) {
			mu.Lock()
			defer mu.Unlock()
			all = append(all, fmt.Sprintf("%s %s %s", k, s, r))
		}
		v.open()
		v.start()
		v.text(ana, "too soon")
		settle()
		v.hear(ana, "hi")
		settle()
		ref := v.text(ana, "welcome")
		settle()
		v.receipt(ana, kabar.Read, ref)
		v.receipt(ana, kabar.Read, ref)
		settle()
		want := []string{"text accepted ", " failed " + string(kabar.ReasonWindowClosed), "text received ", "text accepted ", " sent ", " delivered ",
			" read "}
		if !slices.Equal(all, want) {
			t.Errorf("counted %q, want %q", all, want)
		}
	})
}
