package manage

import (
	"fmt"
	"net/http"
	"sync"

	"kabar/internal/auth"
)

// maxStreams is how many streams of events one key may have open at a time: each reads the logs of all the numbers it sees.
const maxStreams = 20

// streamPause is after how many seconds whoever has too many may come again.
const streamPause = "5"

// streams counts those that are open, by who has opened them. The zero value has none.
type streams struct {
	mu   sync.Mutex
	open map[string]int
}

// begin takes a place; end gives it back. It returns nil when there is none.
func (s *streams) begin(who string) (end func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open[who] >= maxStreams {
		return nil
	}
	if s.open == nil {
		s.open = map[string]int{}
	}
	s.open[who]++
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.open[who]--; s.open[who] == 0 {
			delete(s.open, who)
		}
	}
}

// placed runs the handler of a stream for those who have a place, and answers 429 to the others.
func (a *API) placed(next http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who := auth.From(r)
		end := a.streams.begin(who.Name() + " " + who.Key)
		if end == nil {
			w.Header().Set("Retry-After", streamPause)
			a.problem(w, http.StatusTooManyRequests, "too many streams",
				fmt.Sprintf("this key has %d streams of events open, and may have no more: end one, or use another key", maxStreams))
			return
		}
		defer end()
		next(w, r)
	})
}
