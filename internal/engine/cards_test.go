package engine_test

import (
	"bytes"
	"fmt"
	pictures "image"
	"image/color"
	"image/png"
	"net/http"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"kabar"
	"kabar/internal/engine"
	"kabar/internal/network"
	"kabar/internal/store"
)

// cardNet is a network that carries media and notes those on the cards of the messages that are prepared.
type cardNet struct {
	*carrier
	mu    sync.Mutex
	cards map[string][]string // by customer: of the last message, the bytes of each card's medium
	times map[string]int      // by customer: how many carousels were prepared
}

func (n *cardNet) Prepare(o *network.Outgoing, s network.State) (network.Packet, network.Change, error) {
	packet, change, err := n.carrier.Prepare(o, s)
	if len(o.Cards) > 0 && err == nil {
		n.mu.Lock()
		defer n.mu.Unlock()
		var all []string
		for _, r := range o.Cards {
			all = append(all, string(r.Locator)) // the carrier's locators are the bytes
		}
		n.cards[o.To.Handle()] = all
		n.times[o.To.Handle()]++
	}
	return packet, change, err
}

func (n *cardNet) sent(to string) []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.cards[to]
}

// prepared is how many carousels were prepared for a customer.
func (n *cardNet) prepared(to string) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.times[to]
}

// newCardEnv is an env whose network carries media on cards and whose links are answered by w.
func newCardEnv(t *testing.T, w web) (*env, *cardNet) {
	v, c := newMediaEnv(t, w)
	n := &cardNet{carrier: c, cards: map[string][]string{}, times: map[string]int{}}
	v.stop()
	v.attach = n
	v.start()
	return v, n
}

// dot is a picture of its own for every n.
func dot(n int) []byte {
	img := pictures.NewGray(pictures.Rect(0, 0, 8, 8))
	img.Set(n, 0, color.White)
	var b bytes.Buffer
	_ = png.Encode(&b, img) // into memory
	return b.Bytes()
}

// carousel has a card for each picture: a key of a medium, or a link.
func carousel(pictures ...any) kabar.Content {
	c := &kabar.Interactive{Type: kabar.InteractiveCarousel, Body: "Look"}
	for n, p := range pictures {
		m := kabar.NewMedia(kabar.KindImage)
		switch p := p.(type) {
		case kabar.MediaID:
			m.ID = p
		case string:
			m.Link = p
		}
		c.Action.Cards = append(c.Action.Cards, kabar.CarouselCard{Type: kabar.CardLink, Header: &kabar.Header{Type: kabar.KindImage, Media: m},
			Body: "Card", Link: &kabar.Link{Text: "Open", URL: fmt.Sprintf("https://example.com/%d", n)}})
	}
	return c
}

func (v *env) dot(n int) (id kabar.MediaID) {
	v.t.Helper()
	_, err := v.e.PutMedia(v.t.Context(), v.id, engine.Upload{Body: bytes.NewReader(dot(n)), MIME: "image/png"}, nil,
		func(m *store.Medium) (int, []byte, error) { id = m.ID; return 201, nil, nil })
	if err != nil {
		v.t.Fatal(err)
	}
	return id
}

func (v *env) wantCards(n *cardNet, to string, want ...int) {
	v.t.Helper()
	var all []string
	for _, w := range want {
		all = append(all, string(dot(w)))
	}
	if got := n.sent(to); !slices.Equal(got, all) {
		v.t.Errorf("%s got %d pictures %q, want %v", to, len(got), got, want)
	}
}

// gallery answers https://cdn.example/N with the picture N, and notes what was asked for.
type gallery struct {
	mu    sync.Mutex
	asked map[string]int
	fault func(path string, times int) int // a status; 0: none
}

func (p *gallery) answer(r *http.Request) (*http.Response, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked[r.URL.Path]++
	if p.fault != nil {
		if status := p.fault(r.URL.Path, p.asked[r.URL.Path]); status != 0 {
			return page(status, "words"), nil
		}
	}
	var n int
	if _, err := fmt.Sscanf(r.URL.Path, "/%d", &n); err != nil {
		return page(http.StatusNotFound, "words"), nil
	}
	res := page(http.StatusOK, string(dot(n)))
	res.Header.Set("Content-Type", "image/png")
	return res, nil
}

// The pictures of a carousel's cards go up once for all customers, and come along in the order of the cards, also when the message
// is asked for again.
func TestThePicturesOfCards(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, n := newCardEnv(t, nil)
		first, second := v.dot(1), v.dot(2)
		ref := uint64(0)
		for i := range 20 {
			who := fmt.Sprintf("3460000000%02d", i)
			v.hear(who, "hi")
			ref = v.must(engine.Request{To: who, Content: carousel(second, first, second)})
		}
		settle()
		if up := n.uploads.Load(); up != 2 || len(v.net.Messages()) != 20 {
			t.Errorf("%d messages with %d uploads, want 20 with 2", len(v.net.Messages()), up)
		}
		const last = "346000000019"
		v.wantCards(n, last, 2, 1, 2)
		v.deliver(kabar.Update{From: kabar.Customer{WaID: last}, At: v.now(), Retry: &kabar.Retry{Refs: []string{wire(ref)}}})
		settle()
		if n.prepared(last) != 2 || n.uploads.Load() != 2 {
			t.Errorf("the message was prepared %d times with %d uploads, want 2 with 2", n.prepared(last), n.uploads.Load())
		}
		v.wantCards(n, last, 2, 1, 2)
	})
}

// Each link of a card has the tries of a link; what has come stays, through a restart as well.
func TestTheLinksOfCards(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &gallery{asked: map[string]int{}, fault: func(_ string, times int) int {
			if times < 3 {
				return http.StatusServiceUnavailable
			}
			return 0
		}}
		v, n := newCardEnv(t, p.answer)
		v.hear(ana, "hi")
		v.must(engine.Request{To: ana, Content: carousel("https://cdn.example/1", "https://cdn.example/2", "https://cdn.example/2")})
		time.Sleep(11 * time.Second) // the first has come
		v.restart()
		time.Sleep(time.Minute)
		v.wantTold("message hi", "status sent")
		v.wantCards(n, ana, 1, 2, 2)
		if got := fmt.Sprint(p.asked); got != "map[/1:3 /2:4]" {
			t.Errorf("the links were asked: %s", got)
		}
	})
}

// A message fails for the link of one card, and says which; what is behind it goes on.
func TestALinkOfACardThatLeadsNowhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &gallery{asked: map[string]int{}}
		v, n := newCardEnv(t, p.answer)
		v.hear(ana, "hi")
		v.must(engine.Request{To: ana, Content: carousel("https://cdn.example/1", "https://cdn.example/2", "https://cdn.example/lost")})
		v.text(ana, "next")
		settle()
		v.wantTold("message hi", "status failed "+string(kabar.ReasonMediaDownload), "status sent")
		evs, err := v.db.Events(t.Context(), v.id, 1, 1)
		if err != nil || evs[0].Card != 3 {
			t.Errorf("the event names card %d (%v), want 3", evs[0].Card, err)
		}
		if n.sent(ana) != nil {
			t.Error("the carousel has left")
		}
	})
}
