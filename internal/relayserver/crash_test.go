package relayserver_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"kabar/internal/patience"
	"kabar/internal/relayclient"
	"kabar/internal/relayserver"
)

// proxy stands between devices and a relay and cuts connections.
type proxy struct {
	t    testing.TB
	to   string
	addr string
	mu   sync.Mutex
	all  map[net.Conn]struct{}
}

func (r *relay) proxy() *proxy {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		r.t.Fatal(err)
	}
	p := &proxy{t: r.t, to: r.addr, addr: ln.Addr().String(), all: make(map[net.Conn]struct{})}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			in, err := ln.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { p.carry(in) })
		}
	})
	r.t.Cleanup(func() {
		_ = ln.Close()
		p.cut()
		wg.Wait()
	})
	return p
}

func (p *proxy) carry(in net.Conn) {
	out, err := net.Dial("tcp", p.to)
	if err != nil {
		_ = in.Close()
		return
	}
	p.mu.Lock()
	p.all[in], p.all[out] = struct{}{}, struct{}{}
	p.mu.Unlock()
	var wg sync.WaitGroup
	one := func(to, from net.Conn) {
		_, _ = io.Copy(to, from) // ends with either side
		_ = to.Close()
		_ = from.Close()
	}
	wg.Go(func() { one(out, in) })
	one(in, out)
	wg.Wait()
	p.mu.Lock()
	delete(p.all, in)
	delete(p.all, out)
	p.mu.Unlock()
}

// cut ends all connections, in the middle of whatever they carry.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.all {
		if tcp, ok := c.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0)
		}
		_ = c.Close()
	}
}

// persist connects again and again, without patience, until ctx ends or run fails for a reason of its own.
func persist(ctx context.Context, d *device, run func(context.Context, *relayclient.Conn) error) error {
	for ctx.Err() == nil {
		c, err := relayclient.Dial(ctx, d.options)
		if err != nil {
			time.Sleep(5 * time.Millisecond)
			continue
		}
		err = run(ctx, c)
		_ = c.Close()
		if err != nil && !errors.Is(err, relayclient.ErrClosed) && ctx.Err() == nil {
			return err
		}
	}
	return nil
}

// sendAll sends texts 0..n-1 one after another and repeats each until the relay has it, over as many connections as that
// takes.
func sendAll(ctx context.Context, d *device, account string, n int) error {
	next, e := 0, to(account, "0")
	return persist(ctx, d, func(ctx context.Context, c *relayclient.Conn) error {
		for next < n {
			if err := c.Send(ctx, e); err != nil {
				return err
			}
			next++
			e = to(account, fmt.Sprint(next))
		}
		<-ctx.Done()
		return nil
	})
}

// receiveAll acknowledges what it has seen and checks that nothing is missing or out of order and that no envelope was
// taken twice: what comes again has the seq it had.
func receiveAll(ctx context.Context, d *device, heard func()) error {
	seen := -1
	seqs := map[relayclient.MsgID]uint64{}
	return persist(ctx, d, func(ctx context.Context, c *relayclient.Conn) error {
		var fault error
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		err := c.Receive(ctx, relayclient.Handler{Envelope: func(got relayclient.Delivery) {
			var i int
			_, err := fmt.Sscan(string(got.Ciphertext), &i)
			if before, again := seqs[got.ID]; err != nil || i > seen+1 || again != (i <= seen) || again && before != got.Seq {
				fault = fmt.Errorf("%q came after %d with seq %d, before with %d", got.Ciphertext, seen, got.Seq, before)
				cancel()
				return
			}
			seqs[got.ID] = got.Seq
			_ = c.Ack(ctx, got.Seq) // comes again if it fails
			if i > seen {
				seen = i
				heard()
			}
		}})
		if fault != nil {
			return fault
		}
		return err
	})
}

// exchange lets two devices talk through cuts until everything has arrived in order. What disturbs them comes again when some
// more has arrived, so that there is progress on the slowest machine.
func exchange(t *testing.T, from, rcpt *device, n int, disturb func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	_ = rcpt.dial().Close()
	var arrived atomic.Int64
	var wg sync.WaitGroup
	for _, run := range []func() error{
		func() error { return sendAll(ctx, from, rcpt.options.Account, n) },
		func() error { return receiveAll(ctx, rcpt, func() { arrived.Add(1) }) },
	} {
		wg.Go(func() {
			if err := run(); err != nil {
				t.Error(err)
			}
		})
	}
	for arrived.Load() < int64(n) && !t.Failed() {
		before := arrived.Load()
		more := min(before+1+rand.Int64N(20), int64(n))
		if !patience.Comes(func() bool { return arrived.Load() >= more || t.Failed() }) {
			t.Errorf("%d have arrived, and no more", before)
		}
		time.Sleep(rand.N(10 * time.Millisecond)) // in the middle of whatever it is
		disturb()
	}
	cancel()
	wg.Wait()
}

func TestEverythingArrivesInOrderThroughCuts(t *testing.T) {
	r := start(t, relayserver.NoLimits())
	p := r.proxy()
	from, rcpt := r.business("628"), r.device("6281")
	from.options.URL, rcpt.options.URL = "ws://"+p.addr, "ws://"+p.addr
	exchange(t, from, rcpt, 300, p.cut)

	again := rcpt.dial() // one that was not heard may come again, one that was acknowledged may not
	got := again.listen()
	end := to("6281", "end")
	r.business("629").dial().send(end)
	for {
		d := next(t, got.envelopes)
		again.ack(d.Seq)
		if d.ID == end.ID { // it came behind all the others
			break
		}
	}
	again.settle()
	_ = again.Close()
	fresh := rcpt.dial().listen()
	quiet(fresh, fresh.envelopes)
}

func TestEverythingArrivesInOrderThroughRestarts(t *testing.T) {
	r := start(t, relayserver.NoLimits())
	exchange(t, r.business("628"), r.device("6281"), 300, func() {
		r.stop()
		r.run(relayserver.NoLimits())
	})
}

func TestAStoreThatFailsIsToldAndSurvived(t *testing.T) {
	r := start(t, relayserver.NoLimits())
	d := r.business("628")
	c := d.dial()
	got := c.listen()
	c.send(to("628", "before"))
	before := next(t, got.envelopes)
	breakStore := func(broken bool) {
		if err := r.BreakStore(broken); err != nil {
			t.Fatal(err)
		}
	}
	breakStore(true)
	e := to("628", "after")
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			err := c.Send(t.Context(), e)
			var later *relayclient.RetryAfter
			if !errors.Is(err, relayclient.ErrOverloaded) || !errors.As(err, &later) || later.After <= 0 {
				t.Errorf("Send = %v", err)
			}
		})
	}
	c.ack(before.Seq) // is not answered, and must not be forgotten where it shares the fate of a Send
	wg.Wait()
	breakStore(false)
	c.send(e)
	c.ack(next(t, got.envelopes).Seq)
	c.settle() // the acknowledgements are stored, the postponed one with the next
	_ = c.Close()
	again := d.dial().listen()
	quiet(again, again.envelopes)
}

func TestShutdownSaysGoodbye(t *testing.T) {
	r := start(t, relayserver.NoLimits())
	c, stranger := r.device("6281").dial(), r.raw()
	stranger.read() // hello
	patience.Next(t, "the shutdown ends", stopped(r))
	patience.Next(t, "the device is told", c.Done())
	if !errors.Is(c.Err(), relayclient.ErrShutdown) {
		t.Errorf("ended with %v", c.Err())
	}
}

// stopped stops the relay.
func stopped(r *relay) <-chan struct{} {
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.stop()
	}()
	return done
}
