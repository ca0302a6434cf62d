package relayclient_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"kabar/internal/patience"
	"kabar/internal/relayclient"
	"kabar/internal/relayproto"
)

func TestDialRefusesOptionsThatCannotWork(t *testing.T) {
	good := (&fake{t: t, url: "ws://127.0.0.1:1"}).options()
	for name, change := range map[string]func(*relayclient.Options){
		"no account":     func(o *relayclient.Options) { o.Account = "" },
		"short key":      func(o *relayclient.Options) { o.PublicKey = o.PublicKey[1:] },
		"no Sign":        func(o *relayclient.Options) { o.Sign = nil },
		"short recovery": func(o *relayclient.Options) { o.Recovery = []byte("x") },
		"http":           func(o *relayclient.Options) { o.URL = "http://127.0.0.1:1" },
		"no host":        func(o *relayclient.Options) { o.URL = "ws://" },
		"no URL":         func(o *relayclient.Options) { o.URL = "://" },
		"nobody there":   func(*relayclient.Options) {},
	} {
		o := good
		change(&o)
		if c, err := relayclient.Dial(t.Context(), o); err == nil || !strings.HasPrefix(err.Error(), "relay dial: ") {
			t.Errorf("%s: %v, %v", name, c, err)
		}
	}
}

func TestDialRefusesAStrangeRelay(t *testing.T) {
	nonce := make([]byte, relayproto.NonceSize)
	for name, script := range map[string]func(c *relayproto.Conn){
		"hangs up": func(*relayproto.Conn) {},
		"another protocol": func(c *relayproto.Conn) {
			hello(c, &relayproto.Hello{Protocol: "kabar-relay/2", Nonce: nonce})
			hold(c)
		},
		"short nonce": func(c *relayproto.Conn) { hello(c, &relayproto.Hello{Protocol: relayproto.Protocol}); hold(c) },
		"another first word": func(c *relayproto.Conn) {
			_ = c.Push(&relayproto.Frame{Body: &relayproto.Frame_Ping{Ping: &relayproto.Ping{}}})
			hold(c)
		},
		"answers with nonsense": func(c *relayproto.Conn) {
			hello(c, &relayproto.Hello{Protocol: relayproto.Protocol, Nonce: nonce})
			answer(c, &relayproto.Frame{Body: &relayproto.Frame_Known{Known: &relayproto.Known{}}})
			hold(c)
		},
		"unknown refusal": func(c *relayproto.Conn) {
			hello(c, &relayproto.Hello{Protocol: relayproto.Protocol, Nonce: nonce})
			answer(c, &relayproto.Frame{Body: &relayproto.Frame_Refused{Refused: &relayproto.Refused{Code: 99, Detail: "why"}}})
			hold(c)
		},
	} {
		if _, err := newFake(t, script).dial(); err == nil {
			t.Errorf("%s: dialled", name)
		}
	}
	f := newFake(t, func(c *relayproto.Conn) { welcome(c); hold(c) })
	o := f.options()
	o.Relay = "kabar"
	if _, err := relayclient.Dial(t.Context(), o); err == nil || !strings.Contains(err.Error(), `"fake"`) {
		t.Errorf("a relay of another name: %v", err)
	}
}

func TestDialObeysItsContext(t *testing.T) {
	f := newFake(t, hold) // never says hello
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := relayclient.Dial(ctx, f.options()); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("without hello: %v", err)
	}
	f = newFake(t, func(c *relayproto.Conn) {
		hello(c, &relayproto.Hello{Protocol: relayproto.Protocol, Nonce: make([]byte, relayproto.NonceSize)})
		hold(c) // never answers the login
	})
	ctx, cancel = context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := relayclient.Dial(ctx, f.options()); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("without an answer: %v", err)
	}
}

func TestRequestsEndWithTheirContextOrTheConnection(t *testing.T) {
	f := newFake(t, func(c *relayproto.Conn) { welcome(c); hold(c) }) // never answers
	c, err := f.dial()
	if err != nil {
		t.Fatal(err)
	}
	send := func(ctx context.Context) error {
		return c.Send(ctx, relayclient.Envelope{To: relayclient.Address{Account: "1"}})
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond) // nothing is ever answered
	defer cancel()
	if err := send(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Send = %v", err)
	}
	if c.Err() != nil {
		t.Errorf("a request that ended took the connection with it: %v", c.Err())
	}
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if err := send(t.Context()); !errors.Is(err, relayclient.ErrClosed) {
				t.Errorf("Send = %v", err)
			}
		})
	}
	time.Sleep(20 * time.Millisecond)
	_ = c.Close()
	wg.Wait()
	_ = c.Close()
	if err := send(t.Context()); !errors.Is(err, relayclient.ErrClosed) {
		t.Errorf("Send after Close = %v", err)
	}
	if err := c.Ack(t.Context(), 1); !errors.Is(err, relayclient.ErrClosed) {
		t.Errorf("Ack after Close = %v", err)
	}
	if err := c.Receive(t.Context(), relayclient.Handler{}); !errors.Is(err, relayclient.ErrClosed) {
		t.Errorf("Receive after Close = %v", err)
	}
}

func TestAnswersAreMatchedByID(t *testing.T) {
	const n = 50
	f := newFake(t, func(c *relayproto.Conn) {
		welcome(c)
		var asked []*relayproto.Frame
		for range n {
			f, err := c.Read()
			if err != nil {
				return
			}
			asked = append(asked, f)
		}
		for _, a := range slices.Backward(asked) { // backwards, with answers that nobody asked for
			known := &relayproto.Known{Known: []bool{a.GetLookup().Accounts[0] == "yes"}}
			_ = c.Push(&relayproto.Frame{Id: 1 << 40, Body: &relayproto.Frame_Done{Done: &relayproto.Done{}}}) // the device may have gone
			_ = c.Push(&relayproto.Frame{Id: a.Id, Body: &relayproto.Frame_Known{Known: known}})
		}
		hold(c)
	})
	c, err := f.dial()
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			account := map[bool]string{true: "yes", false: "no"}[i%2 == 0]
			if known, err := c.Lookup(t.Context(), account); err != nil || known[0] != (account == "yes") {
				t.Errorf("%s: %v, %v", account, known, err)
			}
		})
	}
	wg.Wait()
}

// TestAnAnswerOfAnotherKindIsAnError: it must neither panic nor pass for success.
func TestAnAnswerOfAnotherKindIsAnError(t *testing.T) {
	noticed := make(chan struct{})
	f := newFake(t, func(c *relayproto.Conn) {
		welcome(c)
		for answer(c, &relayproto.Frame{Body: &relayproto.Frame_PrekeysLow{PrekeysLow: &relayproto.PrekeysLow{}}}) {
			noticed <- struct{}{}
			if !answer(c, &relayproto.Frame{Body: &relayproto.Frame_Known{Known: &relayproto.Known{Known: make([]bool, 9)}}}) {
				return
			}
		}
	})
	c, err := f.dial()
	if err != nil {
		t.Fatal(err)
	}
	for name, ask := range map[string]func(ctx context.Context) error{
		"Send": func(ctx context.Context) error {
			return c.Send(ctx, relayclient.Envelope{To: relayclient.Address{Account: "1"}})
		},
		"Publish":     func(ctx context.Context) error { return c.Publish(ctx, relayclient.Prekeys{}) },
		"FetchBundle": func(ctx context.Context) error { _, err := c.FetchBundle(ctx, "1"); return err },
		"Lookup":      func(ctx context.Context) error { _, err := c.Lookup(ctx, "1"); return err },
		"PutBlob": func(ctx context.Context) error {
			_, err := c.PutBlob(ctx, strings.NewReader(""), 0, [32]byte{})
			return err
		},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		unanswered := make(chan struct{})
		go func() {
			defer close(unanswered)
			_ = ask(ctx) // answered by a notice, which is no answer
		}()
		patience.Next(t, name+" is answered by a notice", noticed)
		cancel()
		patience.Next(t, name+" ends with its context", unanswered)
		if err := ask(patience.Context(t)); err == nil || errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestARelayThatIgnoresTheWindowIsCut(t *testing.T) {
	f := newFake(t, func(c *relayproto.Conn) {
		welcome(c)
		for i := range uint64(100_000) {
			if c.Wait(context.Background()) != nil {
				return
			}
			deliver := &relayproto.Deliver{Seq: i + 1, MsgId: make([]byte, 16), From: &relayproto.Address{Account: "1", Device: 1}}
			if c.Push(&relayproto.Frame{Body: &relayproto.Frame_Deliver{Deliver: deliver}}) != nil {
				return
			}
		}
		hold(c)
	})
	c, err := f.dial()
	if err != nil {
		t.Fatal(err)
	}
	patience.Next(t, "the connection ends", c.Done())
	if !errors.Is(c.Err(), relayclient.ErrMalformed) {
		t.Errorf("ended with %v", c.Err())
	}
}

// TestSignalsNeverCrowdOutEnvelopes: a device that is slow to receive loses signals, and nothing else.
func TestSignalsNeverCrowdOutEnvelopes(t *testing.T) {
	const windows = 2 * relayproto.CreditFrames
	from := &relayproto.Address{Account: "1", Device: 1}
	f := newFake(t, func(c *relayproto.Conn) {
		welcome(c)
		for i := range uint64(1000) { // a push may fail when the device has gone
			_ = c.Push(&relayproto.Frame{Body: &relayproto.Frame_Signal{Signal: &relayproto.Signal{From: from}}})
			_ = c.Push(&relayproto.Frame{Body: &relayproto.Frame_PrekeysLow{PrekeysLow: &relayproto.PrekeysLow{}}})
			if i < windows {
				deliver := &relayproto.Deliver{Seq: i + 1, MsgId: make([]byte, 16), From: from}
				_ = c.Push(&relayproto.Frame{Body: &relayproto.Frame_Deliver{Deliver: deliver}})
			}
		}
		answer(c, &relayproto.Frame{Body: &relayproto.Frame_Known{Known: &relayproto.Known{Known: []bool{true}}}})
		hold(c)
	})
	c, err := f.dial()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Lookup(t.Context(), "1"); err != nil { // answered after all of it
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(patience.Context(t))
	defer cancel()
	envelopes, signals := 0, 0
	_ = c.Receive(ctx, relayclient.Handler{ // ends with ctx
		Signal: func(relayclient.Address, []byte) { signals++ },
		Envelope: func(relayclient.Delivery) {
			if envelopes++; envelopes == windows {
				cancel()
			}
		},
	})
	if envelopes != windows || signals == 0 || signals > windows {
		t.Errorf("%d envelopes and %d signals", envelopes, signals)
	}
}

func TestReceiveMayBeInterrupted(t *testing.T) {
	const n = 20
	f := newFake(t, func(c *relayproto.Conn) {
		welcome(c)
		for i := range uint64(n) {
			deliver := &relayproto.Deliver{Seq: i + 1, MsgId: make([]byte, 16), From: &relayproto.Address{Account: "1", Device: 1}, Ciphertext: fmt.Append(nil, i)}
			_ = c.Push(&relayproto.Frame{Body: &relayproto.Frame_Deliver{Deliver: deliver}}) // the device may have gone
		}
		hold(c)
	})
	c, err := f.dial()
	if err != nil {
		t.Fatal(err)
	}
	for i := range uint64(n) {
		ctx, cancel := context.WithCancel(patience.Context(t))
		var got []uint64
		err := c.Receive(ctx, relayclient.Handler{Envelope: func(d relayclient.Delivery) {
			got = append(got, d.Seq)
			cancel()
		}})
		if !errors.Is(err, context.Canceled) || len(got) != 1 || got[0] != i+1 {
			t.Fatalf("round %d: %v, %v", i, got, err)
		}
	}
}
