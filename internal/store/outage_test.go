package store_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"kabar/internal/patience"
	"kabar/internal/store"
	"kabar/internal/storetest"
)

// TestALostConnectionLosesNothing ends all connections again and again while many write.
func TestALostConnectionLosesNothing(t *testing.T) {
	storetest.Postgres(t, func(t *testing.T, s *storetest.Env) {
		losesNothing(t, s, func(flow func()) {
			for range 5 {
				flow()
				s.Kill(t)
			}
			flow()
		})
	})
}

// losesNothing disturbs the store while many write and read. What was answered is stored, nothing is stored twice, and the
// store goes on by itself. What disturbs is given a function that waits until the writers have been answered a while, with
// success in the end.
func losesNothing(t *testing.T, s *storetest.Env, disturb func(flow func())) {
	t.Helper()
	const writers = 8
	var mu sync.Mutex
	successes := 0
	answered, outages := map[string]bool{}, 0
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				tag := fmt.Sprintf("49%d-%d", w, i)
				err := s.DB.Write(t.Context(), nil, busy(s, s.A, tag))
				_, read := s.DB.Numbers(t.Context())
				mu.Lock()
				if answered[tag] = err == nil; err == nil {
					successes++
				}
				for _, err := range []error{err, read} {
					if errors.As(err, new(*store.UnavailableError)) {
						outages++
					} else if err != nil {
						t.Errorf("%s: %v, want success or an UnavailableError", tag, err)
					}
				}
				mu.Unlock()
			}
		})
	}
	halt := sync.OnceFunc(func() { close(stop); wg.Wait() })
	defer halt() // a test that fails, too, leaves no writer behind
	disturb(func() {
		count := func() int { mu.Lock(); defer mu.Unlock(); return successes }
		want := count() + 2*writers
		patience.Until(t, "the writers succeed", func() bool { return count() >= want })
	})
	halt()
	works(t, s)
	wantStored(t, s, answered, outages)
}

func wantStored(t *testing.T, s *storetest.Env, answered map[string]bool, outages int) {
	t.Helper()
	stored := map[string]int{}
	for _, r := range s.Query(t, "SELECT wa_id FROM conversation") {
		if stored[r[0]]++; stored[r[0]] > 1 {
			t.Errorf("%s is stored %d times", r[0], stored[r[0]])
		}
	}
	successes := 0
	for tag, ok := range answered {
		if ok {
			successes++
		}
		if ok && stored[tag] == 0 {
			t.Errorf("%s was answered and is not stored", tag)
		}
	}
	if successes < 8 || outages == 0 {
		t.Fatalf("%d operations succeeded and %d failed: this has tested nothing", successes, outages)
	}
	if n := checkLog(t, s, s.A.ID); n != len(stored) {
		t.Errorf("%d events of %d operations", n, len(stored))
	}
	t.Logf("%d operations answered, %d stored, %d outages", successes, len(stored), outages)
}

// works waits until the store takes a write again.
func works(t *testing.T, s *storetest.Env) {
	t.Helper()
	var err error
	if !patience.Comes(func() bool {
		err = s.DB.Write(t.Context(), nil, func(*store.Tx) error { return nil })
		return err == nil
	}) {
		t.Fatalf("the store does not come back: %v", err)
	}
	if _, err := s.DB.Numbers(t.Context()); err != nil {
		t.Errorf("it writes again, but does not read: %v", err)
	}
}

func TestAnUnreachableDatabaseIsUnavailable(t *testing.T) {
	storetest.Postgres(t, func(t *testing.T, s *storetest.Env) {
		s.Down(t)
		var down *store.UnavailableError
		for range 3 {
			if err := s.DB.Write(t.Context(), nil, busy(s, s.A, "491")); !errors.As(err, &down) {
				t.Errorf("Write = %v, want an UnavailableError", err)
			}
			if _, err := s.DB.Numbers(t.Context()); !errors.As(err, &down) {
				t.Errorf("Numbers = %v, want an UnavailableError", err)
			}
			if _, err := s.DB.Message(t.Context(), s.A.ID, 1); !errors.As(err, &down) {
				t.Errorf("Message = %v, want an UnavailableError", err)
			}
		}
		s.Up(t)
		works(t, s)
		s.Write(t, busy(s, s.A, "491"))
	})
}

// TestALostDatabaseStaysLost has another process take the database over while the owner's connection is gone.
func TestALostDatabaseStaysLost(t *testing.T) {
	storetest.Postgres(t, func(t *testing.T, s *storetest.Env) {
		s.Write(t, busy(s, s.A, "491"))
		s.Kill(t)
		next, err := store.Open(t.Context(), s.Options)
		if err != nil {
			t.Fatal(err)
		}
		var down *store.UnavailableError
		for range 3 { // the first one may notice no more than that the connection is gone
			if err = s.DB.Write(t.Context(), nil, busy(s, s.A, "492")); !errors.As(err, &down) {
				t.Errorf("Write of the former owner = %v, want an UnavailableError", err)
			}
		}
		if _, ok := errors.AsType[*store.InUseError](err); !ok {
			t.Errorf("Write of the former owner = %v, want the new one named", err)
		}
		if err := next.Write(t.Context(), nil, busy(s, s.A, "493")); err != nil {
			t.Errorf("Write of the new owner: %v", err)
		}
		if err := next.Close(); err != nil {
			t.Error(err)
		}
		works(t, s)
		s.Write(t, busy(s, s.A, "494"))
		if n := checkLog(t, s, s.A.ID); n != 3 {
			t.Errorf("%d events, want 3", n)
		}
	})
}

// TestAFullDiskIsUnavailable limits the size of the file.
func TestAFullDiskIsUnavailable(t *testing.T) {
	storetest.SQLite(t, func(t *testing.T, s *storetest.Env) {
		limit := func(pages int) {
			if err := s.DB.WriterExec(t.Context(), fmt.Sprintf("PRAGMA max_page_count = %d", pages)); err != nil {
				t.Fatal(err)
			}
		}
		limit(1) // SQLite takes it for "as many as there are"
		big := func(tx *store.Tx) error { return tx.SetState(s.A, "big", 0, make([]byte, 1<<20)) }
		small := storetest.Op{Do: func(*store.Tx) error { return nil }}
		for i, err := range s.Batch(t, small, storetest.Op{Do: big}, small) {
			if !errors.As(err, new(*store.UnavailableError)) {
				t.Errorf("operation %d on a full disk: %v, want an UnavailableError", i, err)
			}
		}
		if _, err := s.DB.Numbers(t.Context()); err != nil {
			t.Errorf("reading from a full disk: %v", err)
		}
		limit(1 << 30)
		s.Write(t, big)
		if v, version, err := s.DB.State(t.Context(), s.A.ID, "big"); len(v) != 1<<20 || version != 1 || err != nil {
			t.Errorf("State = %d bytes, %d, %v", len(v), version, err)
		}
	})
}

// TestTextThatTheDatabaseRefuses has a name with a NUL, which PostgreSQL does not take: it is nobody's outage.
func TestTextThatTheDatabaseRefuses(t *testing.T) {
	storetest.Postgres(t, func(t *testing.T, s *storetest.Env) {
		var broken *store.StatementError
		bad := func(tx *store.Tx) error { return tx.SetState(s.A, "a\x00b", 0, []byte("v")) }
		good := func(tx *store.Tx) error { return tx.SetState(s.A, "good", 0, []byte("v")) }
		errs := s.Batch(t, storetest.Op{Do: bad}, storetest.Op{Do: good})
		if !errors.As(errs[0], &broken) || errs[1] != nil {
			t.Errorf("a batch with a bad name: %v, want a StatementError for the first only", errs)
		}
		var missing *store.NotFoundError // what no row can hold is not even asked for
		if _, err := s.DB.FindConversation(t.Context(), s.A.ID, "\xff"); !errors.As(err, &missing) {
			t.Errorf("FindConversation = %v, want a NotFoundError", err)
		}
	})
}
