package relayserver_test

import (
	"bytes"
	"errors"
	"fmt"
	"testing"
	"time"

	"kabar/internal/relayclient"
	"kabar/internal/relayproto"
	"kabar/internal/relayserver"
)

func TestEnvelopesArriveInOrder(t *testing.T) {
	r := start(t, relayserver.NoLimits())
	from, rcpt := r.business("628").dial(), r.device("6281").dial()
	got := rcpt.listen()
	for i := range 300 {
		from.send(to("6281", fmt.Sprint(i)))
	}
	for i := range 300 {
		d := next(t, got.envelopes)
		if string(d.Ciphertext) != fmt.Sprint(i) || d.Seq != uint64(i+1) {
			t.Fatalf("envelope %d: %q with seq %d", i, d.Ciphertext, d.Seq)
		}
		if d.From != (relayclient.Address{Account: "628", Device: 1}) || time.Since(d.SentAt).Abs() > time.Minute {
			t.Fatalf("envelope %d: from %v at %v", i, d.From, d.SentAt)
		}
		rcpt.ack(d.Seq)
	}
}

func TestAnEnvelopeArrivesAsItWasSent(t *testing.T) {
	r := start(t, relayserver.NoLimits())
	from, rcpt := r.business("628").dial(), r.device("XX.1234567890abcdefABCDEF").dial()
	got := rcpt.listen()
	for _, body := range [][]byte{{}, {0}, bytes.Repeat([]byte{0xff, 0}, relayproto.MaxCiphertext/2)} {
		e := relayclient.Envelope{ID: randomID(), To: relayclient.Address{Account: "XX.1234567890abcdefABCDEF", Device: 1}, Kind: 1 << 31, Ciphertext: body}
		from.send(e)
		d := next(t, got.envelopes)
		if d.ID != e.ID || d.Kind != e.Kind || !bytes.Equal(d.Ciphertext, body) {
			t.Fatalf("%d bytes came as %d bytes, id %x, kind %d", len(body), len(d.Ciphertext), d.ID, d.Kind)
		}
		rcpt.ack(d.Seq)
	}
}

func TestARepeatedSendIsTakenOnce(t *testing.T) {
	r := start(t, relayserver.NoLimits())
	sender, owner := r.business("628"), r.device("6281")
	from, rcpt := sender.dial(), owner.dial()
	got := rcpt.listen()
	e := to("6281", "once")
	from.send(e)
	from.send(e)
	d := next(t, got.envelopes)
	rcpt.ack(d.Seq)
	from.send(e) // after the acknowledgement
	r.business("629").dial().send(e)
	if other := next(t, got.envelopes); other.From.Account != "629" {
		t.Fatalf("a repetition came through from %v", other.From)
	}
	quiet(got, got.envelopes)

	_ = rcpt.Close()
	r.stop()
	r.run(relayserver.NoLimits())
	got = owner.dial().listen()
	sender.dial().send(e) // after a restart
	if again := next(t, got.envelopes); again.From.Account != "629" {
		t.Fatalf("a repetition came through from %v", again.From)
	}
	quiet(got, got.envelopes)

	r.shift(31 * 24 * time.Hour) // tombstones end, and with them the memory
	sender.dial().send(e)
	next(t, got.envelopes)
}

func TestOnlyWhatIsNotAcknowledgedComesAgain(t *testing.T) {
	r := start(t, relayserver.NoLimits())
	from, owner := r.business("628").dial(), r.device("6281")
	first := owner.dial()
	got := first.listen()
	for i := range 10 {
		from.send(to("6281", fmt.Sprint(i)))
	}
	for i := range 10 {
		if d := next(t, got.envelopes); i%3 == 0 {
			first.ack(d.Seq)
		}
	}
	first.settle() // the acknowledgements are stored
	_ = first.Close()
	for restart := range 2 {
		again := owner.dial()
		got = again.listen()
		for _, want := range []string{"1", "2", "4", "5", "7", "8"} {
			if d := next(t, got.envelopes); string(d.Ciphertext) != want {
				t.Fatalf("round %d: got %q, want %q", restart, d.Ciphertext, want)
			}
		}
		quiet(got, got.envelopes)
		_ = again.Close()
		r.stop()
		r.run(relayserver.NoLimits())
	}
}

func TestTheCreditWindow(t *testing.T) {
	r := start(t, relayserver.NoLimits())
	from, rcpt := r.business("628").dial(), r.device("6281").dial()
	got := rcpt.listen()
	for i := range 200 {
		from.send(to("6281", fmt.Sprint(i)))
	}
	var seqs []uint64
	for range relayproto.CreditFrames {
		seqs = append(seqs, next(t, got.envelopes).Seq)
	}
	quiet(got, got.envelopes)
	rcpt.ack(seqs[3], seqs[10], seqs[10], 150, 9999) // twice, not sent yet, never: no more credit than two
	next(t, got.envelopes)
	next(t, got.envelopes)
	quiet(got, got.envelopes)
	rcpt.ack(seqs...)
	for range relayproto.CreditFrames - 2 {
		next(t, got.envelopes)
	}
	quiet(got, got.envelopes)
}

func TestTheCreditWindowInBytes(t *testing.T) {
	r := start(t, relayserver.NoLimits())
	from, rcpt := r.business("628").dial(), r.device("6281").dial()
	for range 10 {
		e := to("6281", "")
		e.Ciphertext = make([]byte, relayproto.MaxCiphertext)
		from.send(e)
	}
	got := rcpt.listen()
	for range relayproto.CreditBytes / relayproto.MaxCiphertext {
		next(t, got.envelopes)
	}
	quiet(got, got.envelopes)
	rcpt.ack(1)
	next(t, got.envelopes)
	quiet(got, got.envelopes)
}

func TestExpiryIsToldToTheSender(t *testing.T) {
	r := start(t, relayserver.NoLimits())
	sender, owner := r.business("628"), r.device("6281")
	_ = owner.dial().Close()
	from := sender.dial()
	short, long := to("6281", "short"), to("6281", "long")
	short.Expires = time.Now().Add(time.Hour)
	from.send(short)
	from.send(long)
	_ = from.Close()
	r.shift(2 * time.Hour)

	rcpt := owner.dial()
	got := rcpt.listen()
	if d := next(t, got.envelopes); string(d.Ciphertext) != "long" {
		t.Fatalf("an expired envelope was delivered: %q", d.Ciphertext)
	}
	for range 2 { // until it is acknowledged, after a restart too
		from = sender.dial()
		told := from.listen()
		e := next(t, told.expired)
		if e.ID != short.ID || e.To != (relayclient.Address{Account: "6281", Device: 1}) {
			t.Fatalf("told that %x to %v has expired", e.ID, e.To)
		}
		quiet(told, told.expired)
		_ = from.Close()
		r.stop()
		r.run(relayserver.NoLimits())
	}
	from = sender.dial()
	told := from.listen()
	from.ack(next(t, told.expired).Seq)
	from.send(short) // repeated: it was accepted once, and stays expired; answered when the acknowledgement is stored
	_ = from.Close()
	again := sender.dial().listen()
	quiet(again, again.expired)

	r.shift(31 * 24 * time.Hour) // nobody fetched "long" within the lifetime
	if e := next(t, sender.dial().listen().expired); e.ID != long.ID {
		t.Fatalf("told that %x has expired", e.ID)
	}
}

func TestExpiryIsToldAtOnceToAConnectedSender(t *testing.T) {
	r := start(t, relayserver.NoLimits())
	_ = r.device("6281").dial().Close()
	from := r.business("628").dial()
	told := from.listen()
	e := to("6281", "x")
	e.Expires = time.Now().Add(time.Hour)
	from.send(e)
	r.shift(2 * time.Hour)
	if got := next(t, told.expired); got.ID != e.ID {
		t.Fatalf("told that %x has expired", got.ID)
	}
}

func TestNoticesDoNotCountAgainstTheMailbox(t *testing.T) {
	limits := relayserver.NoLimits()
	limits.Mailbox = 2
	r := start(t, limits)
	from, other := r.business("628").dial(), r.business("629").dial()
	told := from.listen()
	for i := range 3 {
		account := fmt.Sprint("6281", i)
		_ = r.device(account).dial().Close()
		e := to(account, "x")
		e.Expires = time.Now().Add(time.Hour)
		from.send(e)
	}
	r.shift(2 * time.Hour)
	for range 3 {
		from.ack(next(t, told.expired).Seq)
	}
	from.send(to("629", "executed after the acknowledgements"))
	for i := range 3 {
		if err := other.Send(t.Context(), to("628", "x")); errors.Is(err, relayclient.ErrMailboxFull) != (i == 2) {
			t.Errorf("envelope %d: %v", i, err)
		}
	}
}

func TestSendRefusals(t *testing.T) {
	limits := relayserver.NoLimits()
	limits.Mailbox = 3
	r := start(t, limits)
	from, owner := r.business("628").dial(), r.device("6281")
	rcpt := owner.dial()
	send := func(e relayclient.Envelope) error { return from.Send(t.Context(), e) }

	if err := send(to("999", "x")); !errors.Is(err, relayclient.ErrUnknownRecipient) {
		t.Errorf("unknown recipient: %v", err)
	}
	second := to("6281", "x")
	second.To.Device = 2
	if err := send(second); !errors.Is(err, relayclient.ErrUnknownRecipient) {
		t.Errorf("unknown device: %v", err)
	}
	old := to("6281", "x")
	old.Expires = time.Now().Add(-time.Second)
	if err := send(old); !errors.Is(err, relayclient.ErrExpired) {
		t.Errorf("expired: %v", err)
	}
	large := to("6281", "x")
	large.Ciphertext = make([]byte, relayproto.MaxCiphertext+1)
	if err := send(large); !errors.Is(err, relayclient.ErrTooLarge) {
		t.Errorf("too large: %v", err)
	}
	for range 3 {
		from.send(to("6281", "x"))
	}
	fourth := to("6281", "fourth")
	err := send(fourth)
	var later *relayclient.RetryAfter
	if !errors.Is(err, relayclient.ErrMailboxFull) || !errors.As(err, &later) || later.After <= 0 {
		t.Fatalf("full mailbox: %v", err)
	}
	got := rcpt.listen()
	rcpt.ack(next(t, got.envelopes).Seq)
	rcpt.settle()
	if err = send(fourth); err != nil { // the refused one was not taken for a repetition
		t.Fatalf("after an acknowledgement: %v", err)
	}
	for range 2 {
		next(t, got.envelopes)
	}
	if d := next(t, got.envelopes); string(d.Ciphertext) != "fourth" {
		t.Fatalf("got %q", d.Ciphertext)
	}
}

func TestSignalsAreShownOrForgotten(t *testing.T) {
	r := start(t, relayserver.NoLimits())
	from, owner := r.business("628").dial(), r.device("6281")
	there := relayclient.Address{Account: "6281"}
	rcpt := owner.dial()
	got := rcpt.listen()
	if err := from.Signal(t.Context(), there, []byte("typing")); err != nil {
		t.Fatal(err)
	}
	if s := next(t, got.signals); s != "typing" {
		t.Fatalf("signal %q", s)
	}
	_ = rcpt.Close()
	if err := from.Signal(t.Context(), there, []byte("lost")); err != nil {
		t.Fatal(err)
	}
	if err := from.Signal(t.Context(), relayclient.Address{Account: "nobody"}, []byte("lost")); err != nil {
		t.Fatal(err)
	}
	if err := from.Signal(t.Context(), there, make([]byte, relayproto.MaxSignal+1)); !errors.Is(err, relayclient.ErrTooLarge) {
		t.Fatalf("large signal: %v", err)
	}
	from.send(to("628", "to myself")) // executed after the signals
	again := owner.dial().listen()
	quiet(again, again.signals)
}
