package backup

import (
	"os"
	"runtime"
	"time"
)

// meter reports progress, not more often than anybody can see.
type meter struct {
	report      Report
	what, unit  string
	done, total int64
	last        time.Time
}

const reportEvery = 100 * time.Millisecond

func newMeter(r Report) *meter {
	if r == nil {
		r = func(string, int64, int64, string) {}
	}
	return &meter{report: r}
}

func (m *meter) begin(what string, total int64, unit string) {
	m.what, m.total, m.unit, m.done, m.last = what, total, unit, 0, time.Now()
	m.report(what, 0, total, unit)
}

func (m *meter) add(n int64) {
	m.done += n
	if m.done&0xff != 0 && n == 1 { // looking at the clock for each row would cost more than the row
		return
	}
	if now := time.Now(); now.Sub(m.last) >= reportEvery {
		m.last = now
		m.report(m.what, m.done, max(m.total, m.done), m.unit)
	}
}

// end reports the whole, unless nothing was to be done.
func (m *meter) end() {
	if m.total > 0 || m.done > 0 {
		m.report(m.what, m.done, m.done, m.unit)
	}
}

func syncFolder(f *os.File) error {
	if runtime.GOOS == "windows" {
		return nil // a folder cannot be synced there
	}
	return f.Sync()
}
