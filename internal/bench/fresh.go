package bench

import (
	"bytes"
	"context"
	"time"
)

// fresh measures how long new events of other lanes take while a backlog drains: those of customers who are not in it, told to the same
// application by the same endpoint.
type fresh struct {
	b     *bench
	token string
	told  chan struct{}
	times []time.Duration
}

// freshPause lies between two new events. They come one after another: the next is caused when the last was told.
const freshPause = 10 * time.Millisecond

// strangers is how many customers new events are about.
const strangers = 20

// strangerMark is in every event about one of them, and in no other.
var strangerMark = []byte(`"` + strangerDigits(0)[:9])

func (f *fresh) taken(body []byte) {
	if !bytes.Contains(body, strangerMark) {
		return
	}
	select {
	case f.told <- struct{}{}:
	default: // told once more
	}
}

// beside measures as long as something lasts.
func (f *fresh) beside(ctx context.Context, s *server, lasts func(context.Context) error) error {
	c, err := dial(ctx, s.addr)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	ended := make(chan struct{})
	over := make(chan struct{})
	go func() {
		defer close(ended)
		if err := f.probe(ctx, c, requestsTo(s.addr, f.token, strangerDigits), over); err != nil {
			cancel(s.failed(err))
		}
	}()
	err = lasts(ctx)
	close(over)
	<-ended
	f.b.report.put("backlog.fresh_p50_ms", millis(percentile(f.times, 50)))
	f.b.report.put("backlog.fresh_p99_ms", millis(percentile(f.times, 99)))
	f.b.report.put("backlog.fresh", float64(len(f.times)))
	return err
}

// probe causes one new event after another, and takes how long each is under way. One that is under way at the end is waited for, and
// counts.
func (f *fresh) probe(ctx context.Context, c *client, requests [][]byte, over <-chan struct{}) error {
	defer func() { _ = c.conn.Close() }() // nobody waits any more
	for i := 0; ; i++ {
		select {
		case <-over:
			return nil
		case <-ctx.Done():
			return nil
		default:
		}
		began := time.Now()
		if err := c.do(requests[i%strangers]); err != nil {
			return err
		}
		select {
		case <-f.told:
		case <-ctx.Done():
			return nil
		}
		f.times = append(f.times, time.Since(began))
		wait(ctx, freshPause)
	}
}
