package networktest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"runtime"
	"slices"
	"testing"
	"time"

	"kabar"
	"kabar/internal/network"
	"kabar/internal/patience"
)

// picture returns n bytes without a pattern a mistake could hide in.
func picture(n int) []byte {
	b := make([]byte, 0, n+sha256.Size)
	for last := sha256.Sum256(nil); len(b) < n; last = sha256.Sum256(last[:]) {
		b = append(b, last[:]...)
	}
	return b[:n]
}

func mediaTravel(t *testing.T, d *Desk) {
	carrier, ok := d.Net.(network.MediaCarrier)
	if !ok {
		return // this network carries none
	}
	ana, budi, plain := d.Customer(), d.Customer(), picture(200_001)
	locator, expires, err := carrier.Upload(t.Context(), bytes.NewReader(plain), int64(len(plain)))
	if err != nil {
		t.Fatal(err)
	}
	if !expires.After(d.Now().Add(24 * time.Hour)) {
		t.Errorf("an upload holds until %v only", expires)
	}
	sum := sha256.Sum256(plain)
	for _, p := range []Peer{ana, budi} { // one upload serves every customer
		img := kabar.NewMedia(kabar.KindImage)
		img.ID, img.MIME, img.SHA256, img.Size, img.Caption = 42, "image/png", hex.EncodeToString(sum[:]), int64(len(plain)), "look"
		o := d.Message(p.Customer(), img)
		o.Medium = &kabar.RemoteMedium{Locator: locator, MIME: "image/png", Size: img.Size, SHA256: img.SHA256}
		d.Send(o)
		patience.Until(t, "the picture arrives", func() bool { return len(p.Shown()) == 1 })
		shown := p.Shown()[0]
		if got := kabar.MediumOf(shown.Content); got == nil || got.Caption != "look" || got.ID != 0 || !bytes.Equal(shown.Medium, plain) {
			t.Errorf("the picture has become %+v with %d bytes", shown.Content, len(shown.Medium))
		}
	}
	cardsTravel(t, d, carrier)
	ana.Show("image/png", plain)
	u := d.Await(ana, "a picture", 1, isMessage)[0]
	m := u.Message.Medium
	if m == nil || m.Size != int64(len(plain)) || m.MIME != "image/png" || m.SHA256 != hex.EncodeToString(sum[:]) {
		t.Fatalf("the picture is announced as %+v", m)
	}
	r, err := carrier.Download(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(r)
	if err != nil || r.Close() != nil || !bytes.Equal(got, plain) {
		t.Errorf("downloaded %d bytes of %d: %v", len(got), len(plain), err)
	}
}

// cardsTravel sends a carousel: each card has its own picture, in the order of the cards.
func cardsTravel(t *testing.T, d *Desk, carrier network.MediaCarrier) {
	t.Helper()
	p, c := d.Customer(), &kabar.Interactive{Type: kabar.InteractiveCarousel, Body: "look"}
	o := d.Message(p.Customer(), c)
	pictures := [][]byte{picture(4000), picture(5001), picture(6002)}
	for _, plain := range pictures {
		locator, _, err := carrier.Upload(t.Context(), bytes.NewReader(plain), int64(len(plain)))
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(plain)
		img := kabar.NewMedia(kabar.KindImage)
		img.ID, img.MIME, img.SHA256, img.Size = 42, "image/png", hex.EncodeToString(sum[:]), int64(len(plain))
		c.Action.Cards = append(c.Action.Cards, kabar.CarouselCard{Type: kabar.CardLink, Header: &kabar.Header{Type: kabar.KindImage, Media: img},
			Link: &kabar.Link{Text: "Open", URL: "https://example.com"}})
		o.Cards = append(o.Cards, &kabar.RemoteMedium{Locator: locator, MIME: img.MIME, Size: img.Size, SHA256: img.SHA256})
	}
	d.Send(o)
	patience.Until(t, "the carousel arrives", func() bool { return len(p.Shown()) == 1 })
	shown := p.Shown()[0]
	if !slices.EqualFunc(shown.Cards, pictures, bytes.Equal) || shown.Medium != nil {
		t.Errorf("%d pictures of the cards have arrived, want the %d in their order", len(shown.Cards), len(pictures))
	}
	for n, m := range kabar.CardMedia(shown.Content) {
		if m.ID != 0 || m.Size != int64(len(pictures[n])) {
			t.Errorf("the picture of card %d has become %+v", n+1, m)
		}
	}
}

func directoryKnows(t *testing.T, d *Desk) {
	directory, ok := d.Net.(network.Directory)
	if !ok {
		return // this network does not tell
	}
	ana := d.Customer().Customer().Handle()
	handles, want := []string{ana}, []bool{true}
	if s := d.Stranger.Handle(); s != "" {
		handles, want = []string{s, ana, s}, []bool{false, true, false}
	}
	for range 7 { // more than one page of any network
		handles, want = append(handles, handles...), append(want, want...)
	}
	got, err := directory.Lookup(t.Context(), handles)
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("looked up %v: %v, want %v", got, err, want)
	}
	if got, err := directory.Lookup(t.Context(), nil); err != nil || len(got) != 0 {
		t.Errorf("nobody looked up: %v, %v", got, err)
	}
}

func meetsIdentity(t *testing.T, d *Desk) {
	net, ok := d.Net.(network.Identified)
	if !ok {
		return // its customers have no keys of their own
	}
	ana := d.Customer()
	o := d.Text(ana, "to the new app")
	known := func() string {
		s, err := d.Store.State(t.Context(), net.(network.Network).Keys(o)...)
		if err != nil {
			t.Fatal(err)
		}
		return net.Identity(ana.Customer(), s)
	}
	if hash := known(); hash != "" {
		t.Errorf("the identity of a customer who was never met is %q", hash)
	}
	ana.Say("from the old app")
	before := d.Await(ana, "a text", 1, isMessage)[0].NewIdentity
	if hash := known(); hash != before {
		t.Errorf("the state has the identity %q, the update told %q", hash, before)
	}
	ana.Reinstall()
	patience.Until(t, "the new identity is met", func() bool {
		s, err := d.Store.State(t.Context(), net.(network.Network).Keys(o)...)
		if err == nil {
			err = d.open(o, s)
		}
		if err != nil {
			t.Log(err)
		}
		return known() != before
	})
	met := known()
	d.Send(o)
	wantShown(t, ana, "to the new app")
	ana.Say("from the new app")
	if told := d.Await(ana, "a text", 2, isMessage)[1].NewIdentity; told != met {
		t.Errorf("the state had the identity %q, the update tells %q", met, told)
	}
}

func comesBack(t *testing.T, d *Desk) {
	linked, ok := d.Net.(network.Linked)
	if !ok || d.Line == nil {
		return // no connection to lose
	}
	ana := d.Customer()
	d.Send(d.Text(ana, "before"))
	packet, err := d.Pack(d.Text(ana, "kept for later"))
	if err != nil {
		t.Fatal(err)
	}
	ready, goroutines := d.Store.Readies(), runtime.NumGoroutine()
	for range 2 {
		d.Line(false)
		d.Connected(false)
		_, since := linked.Link()
		if err := d.Net.Transmit(t.Context(), packet); err == nil {
			t.Error("transmitted without a connection")
		}
		d.Line(true)
		d.Connected(true)
		if _, again := linked.Link(); again.Before(since) {
			t.Errorf("connected since %v, disconnected since %v", again, since)
		}
	}
	patience.Until(t, "the engine is told", func() bool { return d.Store.Readies() >= ready+2 })
	if err := d.Transmit(packet); err != nil {
		t.Fatal(err)
	}
	wantShown(t, ana, "before", "kept for later")
	patience.Until(t, "nothing is left of the lost connections", func() bool { return runtime.NumGoroutine() <= goroutines })
	d.Line(false)
	d.Connected(false)
	ana.Say("said meanwhile")
	d.Line(true)
	d.Await(ana, "a text", 1, isMessage)
}

func endsClean(t *testing.T, d *Desk) {
	d.Stop()
	ana := d.Customer()
	runtime.GC() // what only waits for a finalizer is not the driver's
	before := runtime.NumGoroutine()
	for range 3 {
		d.Start()
		d.Send(d.Text(ana, "hello"))
		ana.Say("hello yourself")
		d.Stop()
	}
	if d.Line != nil { // Run ends without a connection, too
		d.Start()
		d.Line(false)
		d.Connected(false)
		d.Stop()
	}
	patience.Until(t, "no goroutine is left", func() bool { return runtime.NumGoroutine() <= before })
	if _, ok := d.Net.(network.Linked); ok && d.Line != nil {
		d.Connected(false)
	}
	// A context that has ended already is no reason to begin.
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = d.Driver().Run(ctx, d.Store) // an error, or not: it returns
	}()
	select {
	case <-done:
	case <-time.After(patience.Limit):
		t.Error("Run began with a context that had ended")
	}
}
