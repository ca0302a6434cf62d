package kabar

import (
	"testing"
	"time"
)

func TestWhatMayBeDoneToABroadcast(t *testing.T) {
	now := time.Date(2031, 5, 2, 10, 15, 0, 0, time.UTC)
	const no = BroadcastState("")
	for _, c := range []struct {
		state                        BroadcastState
		pause, resume, cancel, retry BroadcastState
	}{
		{BroadcastLoading, no, no, no, no},
		{BroadcastScheduled, BroadcastPaused, no, BroadcastCancelled, no},
		{BroadcastRunning, BroadcastPaused, BroadcastRunning, BroadcastCancelled, BroadcastRunning},
		{BroadcastPaused, BroadcastPaused, BroadcastRunning, BroadcastCancelled, BroadcastPaused},
		{BroadcastCancelled, no, no, BroadcastCancelled, no},
		{BroadcastDone, no, no, no, BroadcastRunning},
	} {
		for action, want := range map[BroadcastAction]BroadcastState{BroadcastPause: c.pause, BroadcastResume: c.resume, BroadcastCancel: c.cancel, BroadcastRetry: c.retry,
			"explode": no} {
			b := &Broadcast{State: c.state}
			err := b.Act(action, now)
			if want == no {
				wantError(t, err, ReasonBroadcastState, "")
				want = c.state
			} else if err != nil {
				t.Errorf("%s of one that is %s: %v", action, c.state, err)
			}
			if b.State != want {
				t.Errorf("%s of one that is %s: it is %s, want %s", action, c.state, b.State, want)
			}
		}
	}
	b := &Broadcast{State: BroadcastPaused, Why: "credit", StartAt: now.Add(time.Hour)}
	if err := b.Act(BroadcastResume, now); err != nil || b.State != BroadcastScheduled || b.Why != "" {
		t.Errorf("resumed before its time: %+v, %v", b, err)
	}
	if err := b.Act(BroadcastCancel, now); err != nil || !b.Ended.Equal(now) {
		t.Errorf("cancelled: %+v, %v", b, err)
	}
}
