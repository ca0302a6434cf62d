package store_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	osexec "os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"kabar"
	"kabar/internal/patience"
	"kabar/internal/secrets"
	"kabar/internal/store"
	"kabar/internal/storetest"
)

// TestRotateUnderLoad changes the master key again and again while numbers and secrets, which lie under it, are made,
// replaced and read.
func TestRotateUnderLoad(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		const workers, rotations = 4, 20
		var wg sync.WaitGroup
		var stop atomic.Bool
		counts := make([]int, workers) // what each worker was told is stored
		begun := make(chan struct{}, workers)
		for w := range workers {
			wg.Go(func() {
				for i := 1; !stop.Load(); i++ {
					if err := useMaster(t, s, w, i); err != nil {
						t.Errorf("worker %d: %v", w, err)
						return
					}
					if counts[w] = i; i == 1 {
						begun <- struct{}{}
					}
				}
			})
		}
		for range workers {
			patience.Next(t, "every worker has stored something", begun)
		}
		old := s.Options.Master
		for range rotations {
			old, s.Options.Master = s.Options.Master, secrets.NewKey()
			if err := s.DB.Rotate(t.Context(), s.Options.Master); err != nil {
				t.Fatal(err)
			}
			if id, err := s.DB.MasterKeyID(t.Context()); err != nil || id != s.Options.Master.ID() {
				t.Errorf("MasterKeyID = %s, %v", id, err)
			}
			time.Sleep(2 * time.Millisecond)
		}
		stop.Store(true)
		wg.Wait()
		s.Close(t)
		wantMaster(t, s.Options, old, s.Options.Master)
		s.Reopen(t)
		numbers := 2
		for w, n := range counts {
			numbers += n
			value, err := s.DB.Secret(t.Context(), fmt.Sprint("worker/", w), func() []byte { return nil })
			if err != nil || string(value) != fmt.Sprint(n) || n == 0 {
				t.Errorf("the secret of worker %d is %q, %v; want %d", w, value, err, n)
			}
		}
		if all, err := s.DB.Numbers(t.Context()); err != nil || len(all) != numbers {
			t.Errorf("%d numbers, %v; want %d", len(all), err, numbers)
		}
	})
}

// useMaster makes a number, replaces a secret, and reads both.
func useMaster(t *testing.T, s *storetest.Env, worker, i int) error {
	name, value := fmt.Sprint("worker/", worker), fmt.Sprint(i)
	n := &kabar.Number{Account: s.A.Account, Digits: fmt.Sprintf("1%04d%06d", worker, i)}
	err := s.DB.Write(t.Context(), nil, func(tx *store.Tx) error {
		return errors.Join(tx.AddNumber(n, s.Settings, s.Now), tx.SetSecret(name, []byte(value)))
	})
	if err != nil {
		return err
	}
	if _, _, err := s.DB.Number(t.Context(), n.ID); err != nil {
		return err
	}
	got, err := s.DB.Secret(t.Context(), name, func() []byte { return nil })
	if err == nil && string(got) != value {
		err = fmt.Errorf("the secret is %q, want %q", got, value)
	}
	return err
}

// wantMaster opens the store, which must refuse the wrong key by name and take the right one.
func wantMaster(t *testing.T, o store.Options, wrong, right secrets.Key) {
	t.Helper()
	o.Master = wrong
	_, err := store.Open(t.Context(), o)
	e, ok := errors.AsType[*store.MasterKeyError](err)
	if !ok || e.Need != right.ID() || e.Given != wrong.ID() || !errors.Is(err, store.ErrMasterKey) {
		t.Errorf("Open with an earlier key = %v, want an error that names %s and %s", err, right.ID(), wrong.ID())
	}
	o.Master = right
	db, err := store.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
}

// TestRotateWithinABatch has neighbours before and behind a rotation, and rotations that are refused.
func TestRotateWithinABatch(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		old, next, never := s.Options.Master, secrets.NewKey(), secrets.NewKey()
		refused := errors.New("refused")
		use := func(i int) storetest.Op {
			return storetest.Op{Do: func(tx *store.Tx) error {
				n := &kabar.Number{Account: s.A.Account, Digits: fmt.Sprintf("1000%d", i)}
				return errors.Join(tx.AddNumber(n, s.Settings, s.Now), tx.SetSecret(fmt.Sprint(i), []byte("secret")))
			}}
		}
		rotate := func(to secrets.Key, err error) storetest.Op {
			return storetest.Op{Do: func(tx *store.Tx) error { return errors.Join(tx.RotateIn(to), err) }}
		}
		errs := s.Batch(t, use(0), rotate(never, refused), use(1), rotate(next, nil), use(2), rotate(never, refused), rotate(next, nil), use(3))
		for i, err := range errs {
			if want := i == 1 || i == 5; errors.Is(err, refused) != want || (err != nil && !want) {
				t.Errorf("operation %d: %v", i, err)
			}
		}
		s.Close(t)
		wantMaster(t, s.Options, never, next)
		s.Options.Master = next
		s.Reopen(t)
		for i := range 4 {
			if v, err := s.DB.Secret(t.Context(), fmt.Sprint(i), func() []byte { return nil }); string(v) != "secret" || err != nil {
				t.Errorf("secret %d is %q, %v", i, v, err)
			}
		}
		s.Close(t)
		wantMaster(t, s.Options, old, next)
	})
}

// TestARotationThatFailsChangesNothing has the commit fail.
func TestARotationThatFailsChangesNothing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		next := secrets.NewKey()
		err := s.DB.Write(t.Context(), nil, func(tx *store.Tx) error {
			err := tx.RotateIn(next)
			if s.Database == "postgres" {
				s.Kill(t)
				return err
			}
			return errors.Join(err, tx.AddUser(&store.User{Name: "same"}, s.Now), tx.AddUser(&store.User{Name: "same"}, s.Now))
		})
		if err == nil {
			t.Fatal("the commit has not failed")
		}
		if err := useMaster(t, s, 1, 1); err != nil {
			t.Errorf("after a rotation that failed: %v", err)
		}
		s.Close(t)
		wantMaster(t, s.Options, next, s.Options.Master)
		s.Reopen(t)
		if all, err := s.DB.Numbers(t.Context()); err != nil || len(all) != 3 {
			t.Errorf("%d numbers, %v", len(all), err)
		}
	})
}

// TestAKilledRotationLeavesOneKey kills a process that does nothing but rotate between two keys.
func TestAKilledRotationLeavesOneKey(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		s.Close(t)
		dir := t.TempDir()
		keys := make([]secrets.Key, 2)
		for i := range keys {
			var err error
			if keys[i], err = secrets.CreateMasterKey(filepath.Join(dir, fmt.Sprint(i))); err != nil {
				t.Fatal(err)
			}
		}
		s.Reopen(t)
		if err := s.DB.Rotate(t.Context(), keys[0]); err != nil {
			t.Fatal(err)
		}
		s.Close(t)
		now := 0
		for range 5 {
			cmd := osexec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), fmt.Sprintf("KABAR_TEST_ROTATE_FROM=%d", now), "KABAR_TEST_KEYS="+dir, "KABAR_TEST_PATH="+s.Options.Path, "KABAR_TEST_URL="+s.Options.URL)
			runAndKill(t, cmd)
			now = which(t, s, keys)
		}
		s.Options.Master = keys[now]
		s.Reopen(t)
	})
}

// runAndKill kills a process some moments after it has said that it rotates.
func runAndKill(t *testing.T, cmd *osexec.Cmd) {
	t.Helper()
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		t.Errorf("the process said %q, %v", line, err)
	}
	time.Sleep(time.Duration(rand.IntN(20_000)) * time.Microsecond)
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
}

// which returns the key that opens the store: one does, the other one is refused by name.
func which(t *testing.T, s *storetest.Env, keys []secrets.Key) int {
	t.Helper()
	o := s.Options
	o.Master = keys[0]
	var db *store.DB
	var err error
	patience.Until(t, "PostgreSQL sees that the process is gone", func() bool {
		db, err = store.Open(context.WithoutCancel(t.Context()), o)
		return !errors.As(err, new(*store.InUseError))
	})
	if err == nil {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
		wantMaster(t, o, keys[1], keys[0])
		return 0
	}
	wantMaster(t, o, keys[0], keys[1])
	return 1
}

// A store of schema 1 does not say which key it needs, until it has been opened once.
func TestASchema1StoreLearnsItsMasterKey(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		o := schema1(t, s)
		right := o.Master
		o.Master = secrets.NewKey()
		_, err := store.Open(t.Context(), o)
		if e, ok := errors.AsType[*store.MasterKeyError](err); !ok || e.Need != "" || !strings.Contains(err.Error(), "the store was made with") {
			t.Errorf("Open = %v, want a MasterKeyError that needs no key by name", err)
		}
		o.Master = right
		checkSchema1(t, o)
		wantMaster(t, o, secrets.NewKey(), right)
	})
}
