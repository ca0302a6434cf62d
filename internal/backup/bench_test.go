package backup_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"kabar"
	"kabar/internal/backup"
	"kabar/internal/media"
	"kabar/internal/store"
	"kabar/internal/storetest"
)

// heap watches how far the heap grows until it is stopped.
func heap() (most func() uint64) {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	base, top, end := m.HeapInuse, uint64(0), make(chan struct{})
	var done sync.WaitGroup
	done.Go(func() {
		for {
			select {
			case <-end:
				return
			case <-time.After(20 * time.Millisecond):
				runtime.ReadMemStats(&m)
				top = max(top, m.HeapInuse)
			}
		}
	})
	return func() uint64 { close(end); done.Wait(); return max(top, base) - base }
}

// write stores a message with its job, as an accepted request does.
func write(ctx context.Context, db *store.DB, c *kabar.Conversation, body string) error {
	return db.Write(ctx, func(tx *store.Tx) { tx.WantConversation(c.ID) }, func(tx *store.Tx) error {
		now, err := tx.Conversation(c.Number, c.ID)
		if err != nil {
			return err
		}
		m := &kabar.Message{Direction: kabar.Outbound, Status: kabar.Accepted, Content: &kabar.Text{Body: body}, At: time.Now()}
		if err := tx.AppendMessage(now, m); err != nil {
			return err
		}
		return tx.AddJob(&store.Job{Account: c.Account, Number: c.Number, Conversation: c.ID, Kind: "send", Message: m.ID})
	})
}

// BenchmarkBackup makes, verifies and restores a backup of b.N messages.
func BenchmarkBackup(b *testing.B) {
	for _, kind := range []string{"sqlite", "postgres"} {
		b.Run(kind, func(b *testing.B) {
			s := storetest.Open(b, kind)
			fillMany(b, s, b.N)
			files, err := media.Open(filepath.Join(b.TempDir(), "media"))
			if err != nil {
				b.Fatal(err)
			}
			dir, most := filepath.Join(b.TempDir(), "b"), heap()
			phase := func(name string, do func() error) {
				began := time.Now()
				if err := do(); err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(float64(b.N)/time.Since(began).Seconds(), name+"/s")
			}
			b.ResetTimer()
			phase("backup", func() error { return makeOf(b.Context(), s.DB, files, dir) })
			phase("verify", func() error { _, err := backup.Verify(b.Context(), dir, nil); return err })
			phase("restore", func() error {
				to := backup.Target{Data: filepath.Join(b.TempDir(), "new"), Store: s.Fresh(b), Mark: mark, Now: time.Now().Add(time.Hour)}
				_, err := backup.Restore(b.Context(), dir, to)
				return err
			})
			b.ReportMetric(float64(most())/(1<<20), "MiB-heap")
		})
	}
}

func makeOf(ctx context.Context, db *store.DB, files *media.Store, dir string) error {
	s, err := db.Snapshot(ctx, sessions)
	if err != nil {
		return err
	}
	_, err = backup.Make(ctx, dir, backup.Options{Snapshot: s, Media: files, HasFile: db.HasFile, Now: time.Now()})
	return errors.Join(err, s.Close())
}

func conversation(tb testing.TB, s *storetest.Env, i int) *kabar.Conversation {
	tb.Helper()
	var c *kabar.Conversation
	s.Write(tb, func(tx *store.Tx) (err error) {
		c, err = tx.CreateConversation(s.A, kabar.Customer{WaID: fmt.Sprint(4910000000 + i)})
		return err
	})
	return c
}

func fillMany(tb testing.TB, s *storetest.Env, n int) {
	tb.Helper()
	c := conversation(tb, s, 0)
	for done := 0; done < n; done += 500 {
		s.Write(tb, func(tx *store.Tx) error {
			now, err := tx.Conversation(c.Number, c.ID)
			if err != nil {
				return err
			}
			for i := range min(500, n-done) {
				m := &kabar.Message{Direction: kabar.Outbound, Content: &kabar.Text{Body: fmt.Sprint("a text of a usual length, number ", i)}, At: s.Now}
				if err := tx.AppendMessage(now, m); err != nil {
					return err
				}
			}
			return nil
		})
	}
}

// BenchmarkWritesBesideABackup compares how many messages a second a store of 300,000 takes while it is backed up, again and
// again, with what it takes otherwise.
func BenchmarkWritesBesideABackup(b *testing.B) {
	for _, kind := range []string{"sqlite", "postgres"} {
		s := storetest.Open(b, kind)
		fillMany(b, s, 300_000)
		files, err := media.Open(filepath.Join(b.TempDir(), "media"))
		if err != nil {
			b.Fatal(err)
		}
		for _, busy := range []bool{false, true, false, true} {
			b.Run(fmt.Sprintf("%s/backup=%v", kind, busy), func(b *testing.B) {
				ctx, cancel := context.WithCancel(b.Context())
				var backups sync.WaitGroup
				var made atomic.Int64
				if busy {
					backups.Go(func() {
						for i := 0; ctx.Err() == nil; i++ {
							if makeOf(ctx, s.DB, files, filepath.Join(b.TempDir(), fmt.Sprint(i))) == nil {
								made.Add(1)
							}
						}
					})
				}
				writes(b, s)
				cancel()
				backups.Wait()
				b.ReportMetric(float64(made.Load()), "backups")
			})
		}
	}
}

// writes stores b.N messages of 128 customers.
func writes(b *testing.B, s *storetest.Env) {
	b.Helper()
	var workers sync.WaitGroup
	var next atomic.Int64
	began := time.Now()
	for i := range 128 {
		c := conversation(b, s, int(time.Now().UnixNano()%1e9)+i)
		workers.Go(func() {
			for next.Add(1) <= int64(b.N) {
				if err := write(b.Context(), s.DB, c, "hello"); err != nil {
					b.Error(err)
				}
			}
		})
	}
	workers.Wait()
	b.ReportMetric(float64(b.N)/time.Since(began).Seconds(), "messages/s")
}
