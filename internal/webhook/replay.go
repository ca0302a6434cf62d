package webhook

import (
	"context"

	"kabar/internal/store"
)

// A replay is a reader that begins behind one event and ends at another: its events go out once more, in order for each customer, with
// the ids they had, rendered anew, under a mark and in rows of their own. A killed process goes on from those, and the endpoint's own reader
// knows nothing of it.

// last is the seq of the last event to be read; 0: there is no end.
func (s *session) last() int64 {
	if s.to.replay == nil {
		return 0
	}
	return s.to.replay.Until
}

// through reports whether a replay has told of everything.
func (s *session) through() bool {
	return s.to.replay != nil && s.inflight == 0 && len(s.lanes.all) == 0 && !s.writing && s.saving == nil && !s.window.changed() &&
		(s.dry || s.window.read >= s.last())
}

// finishReplay notes that a replay has come to its end, unless somebody has paused or cancelled it meanwhile. Whoever could not note it tries
// again with the next session.
func (s *session) finishReplay(ctx context.Context) {
	if !s.through() || ctx.Err() != nil || s.target() != s.to {
		return
	}
	ended := false
	err := s.o.Store.Write(context.WithoutCancel(ctx), nil, func(tx *store.Tx) error {
		return tx.ChangeReplay(s.number, s.id, func(r *store.Replay) {
			if ended = r.State == store.ReplayRunning; ended {
				r.State, r.Ended, r.Mark = store.ReplayDone, s.o.Now(), r.Until
			}
		})
	})
	if err != nil {
		s.log.Warn("end a replay", "err", err)
		sleep(ctx, pauseStore)
		return
	}
	s.done = ended
}
