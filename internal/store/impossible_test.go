package store_test

import (
	"errors"
	"testing"

	"kabar/internal/store"
	"kabar/internal/storetest"
)

// A text that no row can hold, such as a path or a login may bring, is not found; on PostgreSQL a statement would fail.
func TestImpossibleTexts(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		n := s.A
		for _, name := range []string{"a\x00b", "\xff\xfe"} {
			if _, err := s.DB.User(t.Context(), name); !errors.As(err, new(*store.NotFoundError)) {
				t.Errorf("the user %q: %v, want it not found", name, err)
			}
			if _, err := s.DB.Provider(t.Context(), n.ID, name); !errors.As(err, new(*store.NotFoundError)) {
				t.Errorf("the provider %q: %v, want it not found", name, err)
			}
			err := s.DB.Write(t.Context(), nil, func(tx *store.Tx) error { return tx.RemoveProvider(n.ID, name) })
			if !errors.As(err, new(*store.NotFoundError)) {
				t.Errorf("to remove the provider %q: %v, want it not found", name, err)
			}
		}
	})
}
