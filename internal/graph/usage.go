package graph

import (
	"fmt"
	"sync"
	"time"

	"kabar"
)

// usageHeader tells how much of what is admitted has been used (contract, section 0).
const usageHeader = "X-Business-Use-Case-Usage"

// hourly is how many calls about an account an hour admits (contract, section 4: of one with a registered number). This server
// counts them, as clients slow down by the figure, and refuses none: the machine is the business's own.
const hourly = 5000

// usage counts the calls about each account in the present hour. The zero value is ready.
type usage struct {
	mu    sync.Mutex
	hour  time.Time
	calls map[kabar.AccountID]int
}

// count counts a call about an account and returns what its answer tells of that.
func (u *usage) count(of kabar.AccountID, id string, now time.Time) string {
	u.mu.Lock()
	defer u.mu.Unlock()
	if hour := now.Truncate(time.Hour); !hour.Equal(u.hour) {
		u.hour, u.calls = hour, map[kabar.AccountID]int{}
	}
	u.calls[of]++
	percent := min(100, u.calls[of]*100/hourly)
	return fmt.Sprintf(`{%q:[{"type":"whatsapp","call_count":%d,"total_cputime":0,"total_time":0,"estimated_time_to_regain_access":0}]}`, id, percent)
}
