package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"kabar/internal/patience"
)

// exchange sends n texts each way, named after what they are for.
func (v *traffic) exchange(name string, n int) {
	for i := range n {
		v.send(fmt.Sprintf("out %s %d", name, i))
		v.write(fmt.Sprintf("in %s %d", name, i))
	}
	v.http.CloseIdleConnections() // the clients hang up
}

// load has clients of the business send, and the customer write, until stop is called. It returns how many messages were
// accepted meanwhile, and how often the server has said that it cannot now.
func (v *traffic) load(name string, clients int) (stop func() (accepted, refused int)) {
	var running sync.WaitGroup
	var accepted atomic.Int64
	before := v.refused.Load()
	end := make(chan struct{})
	loop := func(pause time.Duration, say func(i int)) {
		running.Go(func() {
			for i := 0; ; i++ {
				say(i)
				select {
				case <-end:
					return
				case <-time.After(pause):
				}
			}
		})
	}
	for c := range clients {
		loop(25*time.Millisecond, func(i int) {
			v.send(fmt.Sprintf("out %s %d-%d", name, c, i))
			accepted.Add(1)
		})
	}
	loop(100*time.Millisecond, func(i int) { v.write(fmt.Sprintf("in %s %d", name, i)) })
	finish := sync.OnceFunc(func() {
		close(end)
		running.Wait()
		v.http.CloseIdleConnections() // the clients hang up
	})
	v.t.Cleanup(finish)
	return func() (int, int) {
		finish()
		return int(accepted.Load()), int(v.refused.Load() - before)
	}
}

// flows waits until so many more messages have been accepted.
func (v *traffic) flows(more int) {
	v.t.Helper()
	want := len(v.all().accepted) + more
	patience.Until(v.t, fmt.Sprintf("%d messages have been accepted", want), func() bool { return len(v.all().accepted) >= want })
}

// chat is what the handset shows: times that each text of the business is there, and its id.
func (v *traffic) chat() (times map[string]int, ids map[string]string) {
	var chat struct {
		Messages []struct {
			ID   string
			Text struct{ Body string }
		}
	}
	if err := json.Unmarshal(v.handset(http.MethodGet, "/messages?limit=100000", ""), &chat); err != nil {
		v.t.Error(err)
	}
	times, ids = map[string]int{}, map[string]string{}
	for _, m := range chat.Messages {
		if strings.HasPrefix(m.Text.Body, "out ") {
			times[m.Text.Body]++
			ids[m.Text.Body] = m.ID
		}
	}
	return times, ids
}

// texts are what both sides have said.
type texts struct{ accepted, wrote []string }

// all is what has been said so far.
func (v *traffic) all() texts {
	v.mu.Lock()
	defer v.mu.Unlock()
	return texts{slices.Sorted(maps.Keys(v.accepted)), slices.Clone(v.wrote)}
}

func (s texts) and(more texts) texts {
	return texts{slices.Concat(s.accepted, more.accepted), slices.Concat(s.wrote, more.wrote)}
}

func (s texts) without(less texts) texts {
	drop := func(from, what []string) []string {
		return slices.DeleteFunc(slices.Clone(from), func(text string) bool { return slices.Contains(what, text) })
	}
	return texts{drop(s.accepted, less.accepted), drop(s.wrote, less.wrote)}
}

// arrived waits until all of want is where it belongs, and checks that nothing has come twice, nor under another id than was
// answered.
func (v *traffic) arrived(when string, want texts) {
	v.t.Helper()
	var times map[string]int
	var ids map[string]string
	var problem string
	for deadline := time.Now().Add(patience.Limit); ; time.Sleep(50 * time.Millisecond) {
		problem = ""
		times, ids = v.chat()
		for _, text := range want.accepted {
			if times[text] == 0 {
				problem = fmt.Sprintf("%q was accepted and the customer does not have it", text)
			}
		}
		if n, one := v.app.missing(want.wrote); n > 0 {
			problem += fmt.Sprintf(" %d texts of the customer have not come to the application, one is %q", n, one)
		}
		if problem == "" {
			break
		}
		if time.Now().After(deadline) {
			v.t.Fatalf("%s: %s\n%s", when, problem, v.m.do("kabar status --data /var/lib/kabar/server || true"))
		}
	}
	v.once(when, times, ids)
	v.t.Logf("%s: %d texts of the business and %d of the customer are where they belong, each once", when, len(want.accepted), len(want.wrote))
}

// once checks what the handset shows.
func (v *traffic) once(when string, times map[string]int, ids map[string]string) {
	v.t.Helper()
	v.mu.Lock()
	defer v.mu.Unlock()
	seen := map[string]string{}
	for text, n := range times {
		if n > 1 {
			v.t.Errorf("%s: %q has come %d times", when, text, n)
		}
		if want := v.accepted[text]; want != ids[text] {
			v.t.Errorf("%s: %q has the id %s, and %s was answered", when, text, ids[text], want)
		}
		if before := seen[ids[text]]; before != "" {
			v.t.Errorf("%s: %q and %q have one id", when, text, before)
		}
		seen[ids[text]] = text
	}
}
