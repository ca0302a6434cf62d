//go:build unix

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"time"

	"kabar"
	"kabar/internal/engine"
	"kabar/internal/network"
	"kabar/internal/store"
)

// How much is asked for between two power cuts: by so many at a time, each so often.
const (
	senders, sendsEach       = 4, 12
	uploaders, uploadsEach   = 2, 4
	writers, inboundsEach    = 3, 10 // customers that write
	unansweredReceipts       = 256
	inboundMedia, shutSends  = 4, 20 // one of so many
	mediaSends, readReceipts = 5, 2
)

// life is the load on a server until the power goes.
type life struct {
	round *round
	s     *server
	down  <-chan struct{}
	seed  uint64
}

// run asks for everything there is to ask, and returns when the power has gone or there is nothing left to ask for.
func (l *life) run() {
	l.round.net.mu.Lock()
	l.round.net.accepted = make(chan packet, unansweredReceipts)
	accepted := l.round.net.accepted
	l.round.net.mu.Unlock()
	var load, receipts sync.WaitGroup
	for i := range senders {
		load.Go(func() { l.sender(l.luck(i)) })
	}
	for i := range uploaders {
		load.Go(func() { l.uploader(l.luck(100 + i)) })
	}
	for i := range writers {
		load.Go(func() { l.writer(i, l.luck(200+i)) })
	}
	done := make(chan struct{})
	receipts.Go(func() { l.reader(accepted, done, l.luck(300)) })
	load.Wait()
	close(done)
	receipts.Wait()
}

func (l *life) luck(worker int) *rand.Rand { return rand.New(rand.NewPCG(l.seed, uint64(worker))) }

// over reports whether the power has gone. An error before that is a fault of the server's, unless the disk has failed.
func (l *life) over(what string, err error) bool {
	select {
	case <-l.down:
		return true
	default:
	}
	if err != nil && !l.round.failing {
		l.round.fault(wrong, "%s failed while the power was on: %v", what, err)
	}
	return false
}

// sender sends texts and media to one customer or another.
func (l *life) sender(luck *rand.Rand) {
	book := &l.round.book
	for range sendsEach {
		m := &send{key: fmt.Sprintf("%016x", luck.Uint64()), text: words(luck, "send"), to: customer(luck.IntN(customers))}
		if luck.IntN(shutSends) == 0 {
			m.to, m.shut = customer(customers+luck.IntN(shut)), true
		} else if luck.IntN(mediaSends) == 0 {
			m.medium = book.stored(luck)
		}
		book.note(func() { book.sends = append(book.sends, m) })
		answer, err := l.s.send(context.Background(), m)
		if err == nil {
			err = l.round.answered(m, answer)
		}
		if l.over("a send", err) {
			return
		}
	}
}

// answered notes the answer to a send.
func (r *round) answered(m *send, s *engine.Sent) error {
	ref, err := strconv.ParseUint(string(s.Answer.Body), 10, 64)
	if err != nil {
		return fmt.Errorf("answer %q: %w", s.Answer.Body, err)
	}
	r.book.note(func() { m.answer, m.ref = s.Answer.Body, ref })
	return nil
}

func (l *life) uploader(luck *rand.Rand) {
	book := &l.round.book
	for range uploadsEach {
		u := &upload{key: fmt.Sprintf("%016x", luck.Uint64()), data: noise(luck)}
		book.note(func() { book.uploads = append(book.uploads, u) })
		if l.over("an upload", l.round.upload(l.s, u)) {
			return
		}
	}
}

// upload stores a medium and notes the answer. One that was acknowledged before must be answered the same.
func (r *round) upload(s *server, u *upload) error {
	var id kabar.MediaID
	sent, err := s.e.PutMedia(context.Background(), s.id, engine.Upload{Body: bytes.NewReader(u.data), MIME: "application/octet-stream"},
		&engine.Once{Path: "/v1/media", Key: u.key}, func(m *store.Medium) (int, []byte, error) {
			id = m.ID
			return 200, strconv.AppendInt(nil, int64(m.ID), 10), nil
		})
	if err != nil {
		return err
	}
	if sent.Replayed {
		n, err := strconv.ParseInt(string(sent.Answer.Body), 10, 64)
		if err != nil {
			return err
		}
		id = kabar.MediaID(n)
	}
	if u.answer != nil && !bytes.Equal(u.answer, sent.Answer.Body) {
		return fmt.Errorf("upload %s was answered %s, and now %s", u.key, u.answer, sent.Answer.Body)
	}
	r.book.note(func() { u.id, u.answer = id, sent.Answer.Body })
	return nil
}

// writer is the customers whose place is i modulo writers: what each writes is delivered in order.
func (l *life) writer(i int, luck *rand.Rand) {
	book := &l.round.book
	for range inboundsEach {
		in := &inbound{from: customer(i + writers*luck.IntN(customers/writers)), ref: fmt.Sprintf("%016x%016x", luck.Uint64(), luck.Uint64()), text: words(luck, "inbound")}
		if luck.IntN(inboundMedia) == 0 {
			in.data = noise(luck)
		}
		book.note(func() { book.inbounds = append(book.inbounds, in) })
		err := l.round.deliver(in)
		if l.over("a delivery", err) {
			return
		}
	}
}

// deliver hands in what a customer wrote, with the next counter of the customer's.
func (r *round) deliver(in *inbound) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	key := "received/" + in.from
	u := kabar.Update{From: kabar.Customer{WaID: in.from, Name: "Ana"}, At: time.Now(), Ref: in.ref, Message: &kabar.Incoming{Content: &kabar.Text{Body: in.text}}}
	if in.data != nil {
		doc := kabar.NewMedia(kabar.KindDocument)
		doc.Caption, doc.Filename = in.text, "news.bin"
		u.Message.Content = doc
		u.Message.Medium = &kabar.RemoteMedium{Locator: r.net.keep(in.data), MIME: "application/octet-stream", Size: int64(len(in.data)), SHA256: hash(in.data)}
	}
	state, err := r.net.state(ctx, key)
	if err != nil {
		return err
	}
	if in.counter == 0 {
		in.counter = atoi(state.Value) + 1
	}
	c := network.Change{{Key: key, Version: state.Version, Value: []byte(strconv.Itoa(max(in.counter, atoi(state.Value))))}}
	if err := r.net.deliver(ctx, u, c); err != nil {
		return err
	}
	r.book.note(func() { in.acked = true })
	return nil
}

func atoi(b []byte) int {
	n, _ := strconv.Atoi(string(b)) // what is not there counts as 0
	return n
}

// state reads one entry of the driver's.
func (r *ratchet) state(ctx context.Context, key string) (network.Entry, error) {
	r.mu.Lock()
	ready := r.ready
	r.mu.Unlock()
	select {
	case <-ready:
	case <-ctx.Done():
		return network.Entry{}, ctx.Err()
	}
	r.mu.Lock()
	in := r.in
	r.mu.Unlock()
	s, err := in.State(ctx, key)
	return s[key], err
}

// reader is the customers who read what they have got.
func (l *life) reader(accepted <-chan packet, done <-chan struct{}, luck *rand.Rand) {
	for {
		var p packet
		select {
		case p = <-accepted:
		case <-done:
			return
		}
		for _, status := range []kabar.Status{kabar.Delivered, kabar.Read} {
			if status == kabar.Read && luck.IntN(readReceipts) == 0 {
				break
			}
			if l.over("a receipt", l.receive(p, status)) {
				return
			}
		}
	}
}

func (l *life) receive(p packet, status kabar.Status) error {
	r := &receipt{to: p.To, ref: p.Ref, status: status}
	book := &l.round.book
	book.note(func() { book.receipts = append(book.receipts, r) })
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	err := l.round.net.deliver(ctx, kabar.Update{From: kabar.Customer{WaID: p.To}, At: time.Now(),
		Receipt: &kabar.Receipt{Status: status, Refs: []string{p.Ref}}}, nil)
	if err == nil {
		book.note(func() { r.acked = true })
	}
	return err
}

// again asks once more for everything that was not answered before the cut, as clients and customers do.
func (r *round) again(s *server) error {
	var errs []error
	for _, u := range r.book.uploads {
		if u.answer == nil {
			errs = append(errs, r.upload(s, u))
		}
	}
	for _, m := range r.book.sends {
		if m.answer != nil {
			continue
		}
		answer, err := s.send(context.Background(), m)
		if err == nil {
			err = r.answered(m, answer)
		}
		errs = append(errs, err)
	}
	for _, in := range r.book.inbounds {
		if !in.acked {
			errs = append(errs, r.deliver(in))
		}
	}
	return errors.Join(errs...)
}
