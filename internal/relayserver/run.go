package relayserver

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"time"

	"kabar/internal/relayproto"
)

const (
	sweepEvery = time.Second     // for what has expired; looking costs two reads of an index
	pingCheck  = 5 * time.Second // how exactly pings are on time
	sweepBatch = 500             // rows of one operation, so that a large sweep does not hold others up
	sweepLimit = "500"           // the same in SQL
)

// Run removes what has expired, pings, and hangs up on the silent. When ctx ends it says goodbye to every device, waits
// for what is being stored for them and returns nil.
func (s *Server) Run(ctx context.Context) error {
	s.sweepStrays(ctx)
	sweep, ping := time.NewTicker(sweepEvery), time.NewTicker(pingCheck)
	defer sweep.Stop()
	defer ping.Stop()
	for {
		select {
		case <-ctx.Done():
			<-s.hub.close()
			return nil
		case <-sweep.C:
			if err := s.Sweep(ctx); err != nil && ctx.Err() == nil {
				s.log.Error("relay sweep", "err", err)
			}
		case <-ping.C:
			s.ping(s.since())
		}
	}
}

// ping asks every device for a sign of life now and then and hangs up on the silent ones.
func (s *Server) ping(now time.Duration) {
	for _, x := range s.hub.devices() {
		switch {
		case now-time.Duration(x.heard.Load()) > relayproto.SilentAfter:
			x.hangUp(relayproto.Closing_SILENT, "")
		case now-time.Duration(x.pinged.Load()) >= relayproto.PingEvery:
			x.pinged.Store(int64(now))
			_ = x.wire.Push(&relayproto.Frame{Body: &relayproto.Frame_Ping{Ping: &relayproto.Ping{}}}) // gone: its reader knows
		}
	}
}

// Sweep removes what has expired by now, and tells the senders of envelopes. Run calls it every second.
func (s *Server) Sweep(ctx context.Context) error {
	return errors.Join(s.sweepEntries(ctx), s.sweepRows(ctx), s.sweepBlobs(ctx))
}

func (s *Server) sweepEntries(ctx context.Context) error {
	for n := sweepBatch; n == sweepBatch; {
		now := s.now()
		if any, err := s.store.anyExpired(ctx, now); err != nil || !any {
			return err
		}
		var wake []int64
		err := s.store.do(func(tx *sql.Tx) (err error) {
			n, wake, err = s.store.expire(tx, now, s.limits.Lifetime)
			return err
		})
		if err != nil {
			return err
		}
		s.hub.stir(wake, laneNotices)
	}
	return nil
}

// sweepRows removes tombstones, paces and verification codes that no longer matter.
func (s *Server) sweepRows(ctx context.Context) error {
	now := s.now()
	any, err := s.store.anyOutdated(ctx, now)
	for err == nil && any {
		err = s.store.do(func(tx *sql.Tx) (err error) {
			any, err = s.store.deleteOutdated(tx, now)
			return err
		})
	}
	return err
}

// sweepBlobs removes rows before files: a file without a row is swept later, a row without a file would be a lie.
func (s *Server) sweepBlobs(ctx context.Context) error {
	for {
		ids, err := s.store.expiredBlobs(ctx, s.now())
		if err != nil || len(ids) == 0 {
			return err
		}
		var less int64
		err = s.store.do(func(tx *sql.Tx) (err error) {
			less, err = s.store.deleteBlobs(tx, ids)
			return err
		})
		if err != nil {
			return err
		}
		s.blobs.used.Add(-less)
		if err := s.blobs.remove(ids); err != nil {
			return err
		}
	}
}

// sweepStrays removes files that a crash has left without a row. It looks at real time, as files do.
func (s *Server) sweepStrays(ctx context.Context) {
	ids, unfinished, err := s.blobs.strays(time.Now())
	if err == nil {
		ids, err = s.store.withoutRow(ctx, ids)
	}
	if err == nil {
		err = s.blobs.remove(ids)
	}
	for _, name := range unfinished {
		err = errors.Join(err, os.Remove(s.blobs.path(name)))
	}
	if err != nil {
		s.log.Warn("relay sweep of unfinished blobs", "err", err)
	}
}
