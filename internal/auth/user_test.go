package auth

import (
	"fmt"
	"sync"
	"testing"

	"kabar"
	"kabar/internal/store"
)

// Who is removed is out at once, and nobody who comes later under the name gets in with what was left.
func TestRemoveUser(t *testing.T) {
	e := newEnv(t)
	e.user(t, e.a, "ops", RoleUser, false)
	e.user(t, e.a, "admin", RoleAdmin, false)
	r := bearer(e.token(t, "ops"))
	if _, err := e.Check(r); err != nil {
		t.Fatal(err)
	}
	wantReason(t, e.RemoveUser(t.Context(), "ops", false), "")
	_, err := e.Check(r)
	wantReason(t, err, kabar.ReasonUnauthorized)
	wantReason(t, e.login("ops", goodPassword, ""), kabar.ReasonUnauthorized)
	wantReason(t, e.RemoveUser(t.Context(), "ops", true), kabar.ReasonNotFound)
	e.user(t, e.b, "ops", RoleAdmin, false)
	_, err = e.Check(r)
	wantReason(t, err, kabar.ReasonUnauthorized)
}

// Of many sessions none stays.
func TestRemoveUserEndsEverySession(t *testing.T) {
	e := newEnv(t)
	e.user(t, e.a, "ops", RoleUser, false)
	u, err := e.db.User(t.Context(), "ops")
	if err != nil {
		t.Fatal(err)
	}
	err = e.db.Write(t.Context(), nil, func(tx *store.Tx) error {
		for i := range 2500 {
			l := &store.Login{ID: fmt.Sprintf("session-%d", i), Account: u.Account, Number: u.Number, User: u.ID, Expires: e.clock.now().Add(TokenLife)}
			if err := tx.AddLogin(l); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	wantReason(t, e.RemoveUser(t.Context(), "ops", false), "")
	if ends, err := e.db.LastEnds(t.Context()); err != nil || len(ends) != 0 {
		t.Errorf("sessions are left: %v, %v", ends, err)
	}
}

// A number keeps an administrator, unless the operator insists; those of another number do not count.
func TestLastAdministrator(t *testing.T) {
	e := newEnv(t)
	for _, name := range []string{"one", "two"} {
		e.user(t, e.a, name, RoleAdmin, false)
	}
	e.user(t, e.a, "ops", RoleUser, false)
	e.user(t, e.b, "elsewhere", RoleAdmin, false)
	var wg sync.WaitGroup
	errs := make([]error, 2)
	for i, name := range []string{"one", "two"} { // at once: one of them has to stay
		wg.Go(func() { errs[i] = e.RemoveUser(t.Context(), name, false) })
	}
	wg.Wait()
	if (errs[0] == nil) == (errs[1] == nil) {
		t.Fatalf("removed: %v, %v", errs[0], errs[1])
	}
	last := "one"
	if errs[0] == nil {
		last = "two"
	}
	wantReason(t, e.RemoveUser(t.Context(), last, false), kabar.ReasonDenied)
	wantReason(t, e.RemoveUser(t.Context(), last, true), "")
}
