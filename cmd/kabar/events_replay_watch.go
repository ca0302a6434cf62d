package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"kabar/internal/control"
	"kabar/internal/forward"
)

// replayStill is after how long without progress it is said what the endpoint is like.
const replayStill = 10 * time.Second

// watch shows how far replays are until they have ended, or whoever watches goes. A server that does not answer for a while is asked again.
func (p *replayer) watch(ctx context.Context, began []toldReplay) error {
	bar, lost, moved := newProgress(p.s.err), false, time.Now()
	for done := int64(-1); ; {
		now, err := p.look(ctx, began)
		_, refused := errors.AsType[*forward.RefusedError](err)
		switch {
		case ctx.Err() != nil:
			bar.end()
			return p.left(began)
		case refused:
			bar.end()
			return err
		case err != nil != lost:
			lost = err != nil
			tellLost(p.s.err, err)
		}
		if err == nil {
			sum := control.Progress{What: "events"}
			for _, r := range now {
				sum.Done, sum.Total = sum.Done+r.Done, sum.Total+r.Events
			}
			bar.report(sum)
			if !slices.ContainsFunc(now, func(r toldReplay) bool { return r.live() }) {
				bar.end()
				return p.ended(now)
			}
			if sum.Done != done {
				done, moved = sum.Done, time.Now()
			} else if time.Since(moved) > replayStill {
				p.explain(ctx, began[0].Endpoint)
				moved = time.Now().Add(10 * replayStill)
			}
		}
		select {
		case <-time.After(watchEvery):
		case <-ctx.Done():
		}
	}
}

// look returns how far replays are.
func (p *replayer) look(ctx context.Context, began []toldReplay) ([]toldReplay, error) {
	all, err := p.replays(ctx, began[0].Endpoint)
	return slices.DeleteFunc(all, func(r toldReplay) bool {
		return !slices.ContainsFunc(began, func(b toldReplay) bool { return b.ID == r.ID })
	}), err
}

// explain says why nothing moves, as far as the endpoint tells.
func (p *replayer) explain(ctx context.Context, id string) {
	var e toldEndpoint
	if p.client.Call(ctx, http.MethodGet, endpointPath(id, ""), nil, &e) != nil {
		return // the next look says so
	}
	fmt.Fprintf(p.s.err, "Nothing moves: the endpoint is %s. %s\n", e.State, cmp.Or(e.Reason, e.Health.LastError, "GET /kabar/v1/endpoints/"+id+" has more"))
}

// ended says what has become of replays.
func (p *replayer) ended(all []toldReplay) error {
	return eachLine(p.s.out, all, func(r toldReplay) string {
		switch r.State {
		case "done":
			return fmt.Sprintf("Replay %s of %s is done: %d events of the log, as far as the endpoint wants them.", r.ID, r.Number, r.Events)
		case "paused":
			return fmt.Sprintf(`Replay %s is paused at %d of %d. To go on: PATCH /kabar/v1/replays/%[1]s {"state":"running"}`, r.ID, r.Done, r.Events)
		}
		return fmt.Sprintf("Replay %s is %s at %d of %d.", r.ID, r.State, r.Done, r.Events)
	})
}
