package auth

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strings"

	"kabar"
	"kabar/internal/store"
)

// The length of a monitoring key, in characters (On-Premises contract, section 0: WA_API_KEY).
const (
	MinMonitorKey = 12
	MaxMonitorKey = 128
)

// CheckMonitorKey refuses a key that no client could send, or that others could guess.
func CheckMonitorKey(key string) error {
	invisible := func(r rune) bool { return r <= ' ' || r > '~' }
	if len(key) < MinMonitorKey || len(key) > MaxMonitorKey || strings.ContainsFunc(key, invisible) {
		return kabar.Refuse(kabar.ReasonInvalid, "", "want %d to %d visible ASCII characters", MinMonitorKey, MaxMonitorKey)
	}
	return nil
}

// monitor is the key with which a watcher sees how the server is, without a user: "Authorization: Apikey". It stands for the
// number that the server began with, and opens the routes of the access Monitor only. The zero monitor is no key.
type monitor struct {
	set bool
	sum [sha256.Size]byte
}

func newMonitor(key string) monitor { return monitor{key != "", sha256.Sum256([]byte(key))} }

// monitored says who brings the monitoring key; ok is false for a request that brings something else.
func (a *Auth) monitored(r *http.Request) (w Who, ok bool, err error) {
	all := credentials(r)
	if len(all) != 1 || all[0].kind != "apikey" {
		return Who{}, false, nil
	}
	sum := sha256.Sum256([]byte(all[0].secret))
	if !a.monitor.set || subtle.ConstantTimeCompare(sum[:], a.monitor.sum[:]) != 1 {
		return Who{}, true, errUnauthorized()
	}
	w, err = a.firstNumber(r.Context())
	return w, true, err
}

// firstNumber returns the number that the server began with; nobody while it has none.
func (a *Auth) firstNumber(ctx context.Context) (Who, error) {
	all, err := a.db.Numbers(ctx)
	if err != nil {
		return Who{}, store.Refusal(err)
	}
	if len(all) == 0 {
		return Who{}, &kabar.Error{Reason: kabar.ReasonNotReady, Detail: "the server has no number yet"}
	}
	return Who{Account: all[0].Account, Number: all[0].ID}, nil
}
