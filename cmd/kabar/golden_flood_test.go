package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptrace"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"kabar/internal/golden"
	"kabar/internal/patience"
)

// goldenFlood holds the server's database, and has so many requests wait for it that no other may.
type goldenFlood struct {
	t      *testing.T
	server *goldenServer
	token  string
	path   string // of what is asked for
	lock   *sql.DB

	full    chan struct{} // closed when a request is turned away
	once    sync.Once
	waiting sync.WaitGroup
}

const (
	floodRequests = 6000            // a batch, a queue and some more: the first that is turned away ends it
	floodWithin   = 5 * time.Second // the server gives a database up that is held for 10
	floodAtOnce   = 100             // that are being sent: a machine's queue of connections is short
)

// busy has as many writes wait as may, until release. The message of Ana that they mark as read is so after the first of them.
func (p *goldenPlayer) busy() {
	p.t.Helper()
	p.eventually("the webhook to have finished", p.toldAll) // what it could not note it would tell again
	path := "/v1/messages/" + p.server.lastFrom(golden.Ana).ID
	err := retry(patience.Limit, func() error {
		f := &goldenFlood{t: p.t, server: p.server, token: p.mould.tokens["user"], path: path, full: make(chan struct{})}
		if !f.run() {
			f.release()
			return errors.New("the queue is not full")
		}
		p.release = sync.OnceFunc(f.release)
		p.t.Cleanup(p.release)
		return nil
	})
	if err != nil {
		p.t.Fatal(err)
	}
}

// toldAll is an error while there are events that the webhook has not been told, or not noted so.
func (p *goldenPlayer) toldAll() error {
	var answer struct {
		Stats struct {
			App struct {
				Pending struct{ Data []struct{ Value int } } `json:"pending_callbacks"`
			}
		}
	}
	p.server.readAs(p.mould.tokens["admin"], "/v1/stats/app", &answer)
	for _, waiting := range answer.Stats.App.Pending.Data {
		if waiting.Value > 0 {
			return fmt.Errorf("%d events wait", waiting.Value)
		}
	}
	return nil
}

// run reports whether a request was turned away before the server could lose its patience.
func (f *goldenFlood) run() bool {
	f.t.Helper()
	f.hold()
	over := time.NewTimer(floodWithin)
	defer over.Stop()
	sending := make(chan struct{}, floodAtOnce)
	for range floodRequests {
		select {
		case <-f.full:
			return true
		case <-over.C:
			return false
		case sending <- struct{}{}:
			f.waiting.Go(func() { f.ask(sync.OnceFunc(func() { <-sending })) })
		}
	}
	select {
	case <-f.full:
		return true
	case <-over.C:
		return false
	}
}

// hold takes the lock that every writer of the database needs.
func (f *goldenFlood) hold() {
	f.t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(f.server.folder("server"), "kabar.db")+"?_pragma=busy_timeout(10000)")
	if err == nil {
		f.lock = db
		db.SetMaxOpenConns(1)
		_, err = db.ExecContext(f.t.Context(), "BEGIN IMMEDIATE")
	}
	if err != nil {
		f.t.Fatal(err)
	}
}

// ask makes a request that writes, and calls sent when it is on its way.
func (f *goldenFlood) ask(sent func()) {
	defer sent()
	ctx := httptrace.WithClientTrace(f.t.Context(), &httptrace.ClientTrace{WroteRequest: func(httptrace.WroteRequestInfo) { sent() }})
	r, err := http.NewRequestWithContext(ctx, http.MethodPut, f.path, strings.NewReader(`{"status":"read"}`))
	if err != nil {
		f.t.Error(err)
		return
	}
	r.Header.Set("Authorization", "Bearer "+f.token)
	switch status, _, body, err := f.server.ask(r); {
	case status == http.StatusServiceUnavailable:
		f.once.Do(func() { close(f.full) })
	case err != nil || status != http.StatusOK:
		f.t.Logf("PUT %s: %d %s %v", f.path, status, body, err) // of a flood that was too slow
	}
}

// release has what waits be written.
func (f *goldenFlood) release() {
	f.t.Helper()
	_, err := f.lock.ExecContext(context.WithoutCancel(f.t.Context()), "ROLLBACK")
	if err = errors.Join(err, f.lock.Close()); err != nil {
		f.t.Error(err)
	}
	f.waiting.Wait()
}
