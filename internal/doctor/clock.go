package doctor

import (
	"context"
	"fmt"
	"time"
)

// clockWarn is how far two clocks may be apart. Tokens, windows and webhook timestamps bear as much.
const clockWarn = 30 * time.Second

// firstYear is before any certificate of this program: a clock that says less has lost its battery.
const firstYear = 2026

// Clock compares this machine's clock with another one. ask returns what the other clock said; the answer counts as given in
// the middle of the time it took.
func Clock(other string, ask func(ctx context.Context) (time.Time, error)) Check {
	return Check{"clock", func(ctx context.Context) Result {
		start := time.Now()
		if start.Year() < firstYear {
			return Result{Fail, "the clock says " + start.Format(time.DateOnly), "timedatectl set-ntp true"}
		}
		theirs, err := ask(ctx)
		took := time.Since(start)
		if err != nil {
			return Skipped("not compared with %s: %v", other, err)
		}
		return judgeClock(other, start.Add(took/2), theirs)
	}}
}

func judgeClock(other string, ours, theirs time.Time) Result {
	apart := ours.Sub(theirs)
	switch {
	case apart.Abs() <= clockWarn:
		return Fine("as %s, within %s", other, (apart.Abs() + time.Second).Truncate(time.Second))
	case apart > 0:
		return Result{Warn, fmt.Sprintf("%s ahead of %s", age(apart), other), clockFix}
	}
	return Result{Warn, fmt.Sprintf("%s behind %s", age(-apart), other), clockFix}
}

const clockFix = "timedatectl status on both machines; timedatectl set-ntp true where it is not synchronised"
