package engine_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"kabar"
	"kabar/internal/engine"
	"kabar/internal/store"
)

// tapping is about a template with a link, and with a button of another kind.
type tapping struct {
	*env
	made kabar.TemplateID
	taps int
}

func newTapping(t *testing.T) *tapping {
	v := newEnv(t)
	v.policy(kabar.TemplatePolicy{Review: kabar.ReviewAuto})
	d := draft("shop", "UTILITY", "Your parcel is on its way.")
	d.Components = append(d.Components, kabar.TemplateComponent{Type: "BUTTONS", Buttons: []kabar.TemplateButton{
		{Type: "QUICK_REPLY", Text: "Thanks"}, {Type: "URL", Text: "Track", URL: "https://shop.example/track"}}})
	s := &tapping{env: v, made: v.create(d).ID}
	time.Sleep(time.Minute)
	return s
}

// sent sends the template and returns the network's id of the message.
func (s *tapping) sent(to string) (ref string) {
	s.t.Helper()
	public, _, err := s.sendTemplate(to, "shop")
	must(s.t, err)
	settle()
	return wire(public)
}

// tap has a customer tap on a button, under an id that is new.
func (s *tapping) tap(from, message string, card, button int) *kabar.LinkTap {
	s.t.Helper()
	s.taps++
	tap := &kabar.LinkTap{ID: fmt.Sprintf("%032x", 0x7a9000+s.taps), Message: message, Card: card, Button: button}
	s.heard(from, tap)
	return tap
}

func (s *tapping) heard(from string, tap *kabar.LinkTap) {
	s.t.Helper()
	s.deliver(kabar.Update{From: kabar.Customer{WaID: from}, At: s.now(), Ref: tap.ID, Tapped: tap})
}

func (s *tapping) want(opened, first int) {
	s.t.Helper()
	days, err := s.e.Templates().Use(s.t.Context(), s.account(), s.made, 0, kabar.DayOf(s.now()))
	must(s.t, err)
	var u kabar.TemplateUse
	for _, day := range days {
		u.Add(day)
	}
	if u.Opened["Track"] != opened || u.FirstOpened["Track"] != first || len(u.Opened) > 1 || len(u.FirstOpened) > 1 || len(u.Clicked) > 0 {
		s.t.Errorf("opened %v, first %v, clicked %v; want %d and %d", u.Opened, u.FirstOpened, u.Clicked, opened, first)
	}
}

// Every tap on a link counts for its template, and the first of each message once more; nobody is told, and no window opens.
func TestTapsOnLinks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTapping(t)
		one, two := s.sent(ana), s.sent(ana)
		told := fmt.Sprint(s.told())
		s.tap(ana, one, 0, 1)
		s.want(1, 1)
		again := s.tap(ana, one, 0, 1)
		s.heard(ana, again) // it has come before
		s.want(2, 1)
		s.tap(ana, two, 0, 1)
		s.want(3, 2)
		s.restart()
		s.heard(ana, again)
		time.Sleep(48 * time.Hour) // a message counts once, not once a day
		s.tap(ana, one, 0, 1)
		s.want(4, 2)
		if got := fmt.Sprint(s.told()); got != told {
			t.Errorf("the taps are told: %s", got)
		}
		s.text(ana, "is nobody's turn")
		settle()
		if n := len(s.net.Messages()); n != 2 {
			t.Errorf("%d messages have gone out: the taps have opened the window", n)
		}
	})
}

// What a customer taps on that is no link of a message to that customer is nothing, and does not hold up what follows.
func TestTapsOnNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const bo = "34600333444"
		s := newTapping(t)
		ref := s.sent(ana)
		s.hear(ana, "hi")
		text := wire(s.text(ana, "no template"))
		settle()
		s.tap(ana, ref, 0, 0)
		s.tap(ana, ref, 0, 2)
		s.tap(ana, ref, 1, 1)
		s.tap(ana, text, 0, 0)
		s.tap(ana, wire(1<<40), 0, 1)
		s.tap(ana, fmt.Sprintf("%032x", s.refs), 0, 1) // a message of her own
		s.tap(bo, ref, 0, 1)
		s.want(0, 0)
		s.tap(ana, ref, 0, 1)
		s.want(1, 1)
	})
}

// However often a customer taps, what is remembered of it has an end, and other messages count as before.
func TestTapsWithoutEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTapping(t)
		ref := s.sent(ana)
		for range kabar.MaxLinkTaps + 20 {
			s.tap(ana, ref, 0, 1)
		}
		s.want(kabar.MaxLinkTaps, 1)
		remembered := 0
		err := s.db.Write(context.Background(), func(*store.Tx) {}, func(tx *store.Tx) error {
			remembered = 0
			for n := range s.taps {
				if _, ok, err := tx.Ref(s.env.id, fmt.Sprintf("%032x", 0x7a9001+n)); err != nil {
					return err
				} else if ok {
					remembered++
				}
			}
			return nil
		})
		if must(t, err); remembered != kabar.MaxLinkTaps {
			t.Errorf("%d ids of taps are remembered, want %d", remembered, kabar.MaxLinkTaps)
		}
		s.tap(ana, s.sent(ana), 0, 1)
		s.want(kabar.MaxLinkTaps+1, 2)
	})
}

// Of a customer whom the number blocks nothing is counted.
func TestTapsOfABlockedCustomer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTapping(t)
		ref := s.sent(ana)
		s.hear(ana, "hi")
		s.bar([]string{ana}, engine.MaxBarred, "+"+ana)
		late := s.tap(ana, ref, 0, 1)
		s.want(0, 0)
		if _, err := s.e.Unbar(t.Context(), s.env.id, []string{ana}); err != nil {
			t.Fatal(err)
		}
		s.heard(ana, late)
		s.want(0, 0)
		s.tap(ana, ref, 0, 1)
		s.want(1, 1)
	})
}

// A customer who says to have tapped on a quick reply that the template has not leaves nothing behind in its figures.
func TestTapsOnQuickRepliesThatAreNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTapping(t)
		ref := s.sent(ana)
		for i, text := range []string{"Anything", "Track", "Thanks"} {
			s.deliver(kabar.Update{From: kabar.Customer{WaID: ana}, At: s.now(), Ref: fmt.Sprintf("%032x", 0xbad+i),
				Message: &kabar.Incoming{Content: &kabar.Button{Text: text, Payload: "x"}, ReplyTo: ref}})
		}
		days, err := s.e.Templates().Use(t.Context(), s.account(), s.made, 0, kabar.DayOf(s.now()))
		must(t, err)
		if u := days[kabar.DayOf(s.now())]; len(u.Clicked) != 1 || u.Clicked["Thanks"] != 1 {
			t.Errorf("clicked %v, want one on Thanks", u.Clicked)
		}
	})
}
