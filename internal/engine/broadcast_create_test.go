package engine_test

import (
	"errors"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"kabar"
	"kabar/internal/engine"
)

// Of requests with the same key one makes a broadcast, whether they come together, one after the other, or after a restart.
func TestABroadcastIsMadeOnce(t *testing.T) {
	v := newEnvPaced(t, fast)
	create := func(key, hash string, n int) (*engine.CreatedBroadcast, error) {
		in := v.wanted(n)
		in.Once = &engine.Once{Path: "/kabar/v1/broadcasts", Key: key, Hash: hash}
		in.Answer = func(made *engine.CreatedBroadcast) (int, []byte, error) {
			return http.StatusAccepted, fmt.Append(nil, made.ID), nil
		}
		return v.e.Broadcasts().Create(t.Context(), in)
	}
	var all sync.WaitGroup
	var mu sync.Mutex
	answers, first := map[string]bool{}, 0
	for range 4 {
		all.Go(func() {
			made, err := create("k", "h", 30)
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			if answers[string(made.Answer.Body)] = true; !made.Replayed {
				first++
			}
		})
	}
	all.Wait()
	v.restart()
	if made, err := create("k", "h", 30); err != nil || !made.Replayed || !answers[string(made.Answer.Body)] || len(answers) != 1 || first != 1 {
		t.Errorf("repeated: %+v, %v; %d made, %d answers", made, err, first, len(answers))
	}
	if _, err := create("k", "another", 30); !refusedWith(err, kabar.ReasonKeyReused) {
		t.Errorf("the key for something else: %v", err)
	}
	if made, err := create("l", "h", 30); err != nil || made.Replayed {
		t.Errorf("another key: %+v, %v", made, err)
	}
	list, err := v.e.Broadcasts().List(t.Context(), v.account(), 0, 0, 9)
	if err != nil || len(list) != 2 {
		t.Errorf("%d broadcasts, %v", len(list), err)
	}
	v.noneLoading()
}

// noneLoading wants nothing to be left of a list that was not stored.
func (v *env) noneLoading() {
	v.t.Helper()
	if left, err := v.db.BroadcastsIn(v.t.Context(), kabar.BroadcastLoading, time.Time{}); err != nil || len(left) > 0 {
		v.t.Errorf("still loading: %+v, %v", left, err)
	}
}

// What was stored of a list that could not be stored whole goes at once.
func TestAListThatCannotBeStoredIsRemoved(t *testing.T) {
	v := newEnv(t)
	in := v.wanted(30)
	in.Answer = func(*engine.CreatedBroadcast) (int, []byte, error) { return 0, nil, errors.New("no answer") }
	if made, err := v.e.Broadcasts().Create(t.Context(), in); err == nil {
		t.Fatalf("made %+v", made)
	}
	v.noneLoading()
	if rows, err := v.db.RecipientRows(t.Context(), v.account(), "34600000000", 9); err != nil || len(rows) > 0 {
		t.Errorf("recipients are left: %v, %v", rows, err)
	}
}

// A broadcast does not end while somebody has been given another turn, however long ago it was looked who waits.
func TestABroadcastIsNotDoneBeforeARetry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newEnvPaced(t, fast)
		v.net.SetOffline(true)
		b := v.cast(v.wanted(10))
		time.Sleep(time.Second)
		if err := v.e.Broadcasts().Finish(t.Context(), b); err != nil {
			t.Fatal(err)
		}
		v.wantState(b, kabar.BroadcastRunning, 10, 0, 0)
		v.net.SetOffline(false)
		time.Sleep(time.Minute)
		v.wantState(b, kabar.BroadcastDone, 0, 10, 0)
	})
}

// Retries, over and over, while a broadcast comes to its end: nobody is left who waits in one that is done.
func TestRetriesAtTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newEnvPaced(t, fast)
		v.require(true)
		b := v.cast(v.wanted(40))
		for range 20 {
			time.Sleep(7 * time.Millisecond)
			v.act(b, kabar.BroadcastRetry)
		}
		v.require(false)
		time.Sleep(time.Minute) // those whose turn it was are still held to it
		v.act(b, kabar.BroadcastRetry)
		time.Sleep(time.Minute)
		synctest.Wait()
		v.wantState(b, kabar.BroadcastDone, 0, 40, 0)
		wantOnce(t, v.net, 40)
	})
}

// Broadcasts go with their lists when they have ended long enough ago: with the messages, unless the account says otherwise.
func TestEndedBroadcastsAreCollected(t *testing.T) {
	for name, c := range map[string]struct {
		days *int
		gone int // after so many days
	}{"as messages": {nil, 30}, "sooner": {new(7), 7}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v := newEnvPaced(t, fast)
				_, err := v.e.Accounts().ChangeRetention(t.Context(), v.account(), func(r *kabar.Retention) error { r.Broadcasts = c.days; return nil })
				if err != nil {
					t.Fatal(err)
				}
				done := v.cast(v.wanted(3))
				time.Sleep(time.Minute)
				v.net.SetOffline(true)
				paused, cancelled := v.cast(v.wanted(3)), v.cast(v.wanted(3))
				v.act(paused, kabar.BroadcastPause)
				v.act(cancelled, kabar.BroadcastCancel)
				left := func(want ...kabar.BroadcastID) {
					t.Helper()
					all, err := v.e.Broadcasts().List(t.Context(), v.account(), 0, 0, 9)
					ids := make([]kabar.BroadcastID, len(all))
					for i, b := range all {
						ids[i] = b.ID
					}
					if err != nil || fmt.Sprint(ids) != fmt.Sprint(want) {
						t.Errorf("there are %v, %v; want %v", ids, err, want)
					}
					if rows, err := v.db.RecipientRows(t.Context(), v.account(), "34600000000", 9); err != nil || len(rows) != len(want) {
						t.Errorf("in %d lists, %v; want %d", len(rows), err, len(want))
					}
				}
				time.Sleep(time.Duration(c.gone)*24*time.Hour - time.Hour)
				left(cancelled.ID, paused.ID, done.ID)
				time.Sleep(26 * time.Hour)
				left(paused.ID)
				v.noneLoading()
			})
		})
	}
}
