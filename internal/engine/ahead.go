package engine

import (
	"sync"

	"kabar"
)

// aheadJobs is how many jobs of a lane are looked at together: as many as go out in one packet at most.
const aheadJobs = joined

// ahead remembers the first jobs of lanes that have several, so that a long lane is not walked anew for each of them, nor each
// time it is found that there is no network. What is remembered stays true, since only the work of a lane takes jobs out of it, and
// what is added comes behind.
type ahead struct {
	mu   sync.Mutex
	jobs map[kabar.ConversationID][]int64
}

// take returns what is remembered, and forgets it.
func (a *ahead) take(c kabar.ConversationID) []int64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	ids := a.jobs[c]
	delete(a.jobs, c)
	return ids
}

// keep remembers those of a lane's first jobs that stand behind the one that is done; 0 for none.
func (a *ahead) keep(c kabar.ConversationID, ids []int64, done int64) {
	for len(ids) > 0 && ids[0] <= done {
		ids = ids[1:]
	}
	if len(ids) == 0 {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.jobs[c] = ids
}
