package storetest_test

import (
	"slices"
	"strings"
	"testing"

	"kabar"
	"kabar/internal/store"
	"kabar/internal/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m) }

// TestEveryEnvIsNew leaves something behind in every table it can reach and looks for it in the next Env.
func TestEveryEnvIsNew(t *testing.T) {
	for range 3 {
		storetest.Each(t, func(t *testing.T, s *storetest.Env) {
			numbers, err := s.DB.Numbers(t.Context())
			if err != nil || len(numbers) != 2 || numbers[0].ID != s.A.ID || numbers[1].ID != s.B.ID || s.A.Account == s.B.Account {
				t.Errorf("numbers = %v, %v; want A and B of two accounts", numbers, err)
			}
			s.A.Profile.Name = "changed"
			s.Write(t, func(tx *store.Tx) error {
				if err := tx.SaveNumber(s.A, s.Settings); err != nil {
					return err
				}
				return tx.SetState(s.A, "left", 0, []byte("behind")) // refused if an earlier one is still there
			})
			if n, _, err := s.DB.Number(t.Context(), s.B.ID); err != nil || n.Profile.Name != "Beta" {
				t.Errorf("B is %+v, %v", n, err)
			}
			if err := s.Exec(t, "DELETE FROM account"); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestBatchKeepsTheOrder(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		var order []int
		ops := make([]storetest.Op, 100)
		for i := range ops {
			ops[i].Do = func(*store.Tx) error { order = append(order, i); return nil }
		}
		if errs := s.Batch(t, ops...); len(errs) != len(ops) || !slices.IsSorted(order) || len(order) != len(ops) {
			t.Errorf("ran %v, answered %d", order, len(errs))
		}
	})
}

func TestFindLooksEverywhere(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		s.Write(t, func(tx *store.Tx) error { return tx.AddUser(&store.User{Name: "needle-1", Role: "x"}, s.Now) })
		if err := s.Exec(t, "UPDATE number SET profile = $1 WHERE id = $2", []byte("a needle-2 b"), int64(s.A.ID)); err != nil {
			t.Fatal(err)
		}
		places := strings.Join(s.Find(t, "needle-1", "needle-2", "needle-3"), ", ")
		for place, want := range map[string]bool{`"needle-1" in api_user.name`: true, `"needle-2" in number.profile`: true, "needle-3": false,
			"in the file-wal": s.Database == "sqlite"} {
			if strings.Contains(places, place) != want {
				t.Errorf("found %s; want %s there: %v", places, place, want)
			}
		}
	})
}

// recorder keeps a failure to itself.
type recorder struct {
	testing.TB
	failed bool
}

func (r *recorder) Errorf(string, ...any) { r.failed = true }

// TestAcrossComplains moves an endpoint of B's to A's account behind the store's back: then B lists what is A's.
func TestAcrossComplains(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		s.Write(t, func(tx *store.Tx) error {
			return tx.AddEndpoint(&kabar.Endpoint{Account: s.B.Account, Number: s.B.ID, EndpointConfig: kabar.EndpointConfig{URL: "https://x.example/"}, Dialect: kabar.Cloud}, s.Now)
		})
		r := &recorder{TB: t}
		if s.Across(r); r.failed {
			t.Error("Across complains about nothing")
		}
		if err := s.Exec(t, "UPDATE endpoint SET account_id = $1", int64(s.A.Account)); err != nil {
			t.Fatal(err)
		}
		if s.Across(r); !r.failed {
			t.Error("Across does not notice that B lists an endpoint of A's account")
		}
		if err := s.Exec(t, "DELETE FROM endpoint"); err != nil {
			t.Fatal(err)
		}
	})
}
