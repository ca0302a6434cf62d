package engine_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"kabar"
	"kabar/internal/engine"
	"kabar/internal/network"
	"kabar/internal/network/networktest"
	"kabar/internal/store"
)

// phonebook is a network that knows everybody whose number does not end in 000, and counts what it is asked.
type phonebook struct {
	*networktest.Fake
	mu    sync.Mutex
	asked []int // handles of each question
	fail  error // of every question; nil: none
}

func (p *phonebook) Lookup(_ context.Context, handles []string) ([]bool, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked = append(p.asked, len(handles))
	if p.fail != nil {
		return nil, p.fail
	}
	known := make([]bool, len(handles))
	for i, h := range handles {
		known[i] = !strings.HasSuffix(h, "000")
	}
	return known, nil
}

func (p *phonebook) failWith(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fail = err
}

func (p *phonebook) questions() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return fmt.Sprint(p.asked)
}

func newContacts(t *testing.T) (*env, *phonebook) {
	book := &phonebook{Fake: networktest.NewFake()}
	return newEnvWith(t, book.Fake, book), book
}

// check asks, and shows the answers as "input status handle".
func (v *env) check(c engine.Check) string {
	v.t.Helper()
	all, err := v.e.CheckContacts(v.t.Context(), v.id, c)
	if err != nil {
		v.t.Fatal(err)
	}
	return shownContacts(all)
}

func shownContacts(all []kabar.Contact) string {
	var lines []string
	for _, c := range all {
		lines = append(lines, strings.TrimSpace(fmt.Sprint(c.Input, " ", c.Status, " ", c.Handle)))
	}
	return strings.Join(lines, ", ")
}

// answers returns what events have told, and whether they belong to a conversation.
func (v *env) answers() (all []string) {
	v.t.Helper()
	evs, err := v.db.Events(v.t.Context(), v.id, 0, 10_000)
	if err != nil {
		v.t.Fatal(err)
	}
	for _, ev := range evs {
		if ev.Kind == kabar.EventContacts && ev.Conversation == 0 {
			all = append(all, shownContacts(ev.Contacts))
		}
	}
	return all
}

func want(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s\n got %s\nwant %s", what, got, want)
	}
}

// What the network has said holds for seven days, unless it is asked again on purpose.
func TestContactsAreRemembered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, book := newContacts(t)
		ask := engine.Check{Inputs: []string{"+34 600 111 222", "34600111222", "34600111000", "nobody", "ES.abc"}, Wait: true}
		const answer = "+34 600 111 222 valid 34600111222, 34600111222 valid 34600111222, 34600111000 invalid, nobody invalid, ES.abc valid ES.abc"
		want(t, "asked", v.check(ask), answer)
		want(t, "remembered", v.check(ask), answer)
		want(t, "remembered, and nobody waits", v.check(engine.Check{Inputs: ask.Inputs}), answer)
		want(t, "questions", book.questions(), "[3]")
		time.Sleep(store.ContactLife)
		want(t, "a week later", v.check(engine.Check{Inputs: ask.Inputs[:1], Wait: true}), "+34 600 111 222 valid 34600111222")
		ask.Force = true
		want(t, "forced", v.check(ask), answer)
		want(t, "questions", book.questions(), "[3 1 3]")
	})
}

// Who does not wait is told by events, a hundred at a time, also after a restart; each input once.
func TestContactsAreToldLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, book := newContacts(t)
		want(t, "at once", v.check(engine.Check{Inputs: []string{ana, "34600111000", "x", ana}}), ana+" processing, 34600111000 processing, x invalid, "+ana+" processing")
		settle()
		want(t, "told", fmt.Sprint(v.answers()), "["+ana+" valid "+ana+", 34600111000 invalid, "+ana+" valid "+ana+"]")

		book.SetOffline(true)
		var many []string
		for i := range 250 {
			many = append(many, fmt.Sprint(34600200000+i))
		}
		v.check(engine.Check{Inputs: many})
		settle()
		v.restart()
		settle()
		if got := len(v.answers()); got != 1 {
			t.Errorf("%d answers without a network", got)
		}
		book.SetOffline(false)
		settle()
		told := v.answers()
		if len(told) != 4 {
			t.Fatalf("%d answers", len(told))
		}
		if all := strings.Split(strings.Join(told[1:], ", "), ", "); len(all) != 250 || all[0] != "34600200000 invalid" || all[249] != "34600200249 valid 34600200249" {
			t.Errorf("%d contacts, from %s to %s", len(all), all[0], all[249])
		}
	})
}

// A network that does not answer is an answer, too: at once for who waits, after an hour for who does not.
func TestContactsOfASilentNetwork(t *testing.T) {
	for name, silence := range map[string]func(*phonebook){
		"offline": func(b *phonebook) { b.SetOffline(true); b.failWith(errors.New("offline")) },
		"failing": func(b *phonebook) { b.failWith(errors.New("out of order")) },
		"limited": func(b *phonebook) { b.failWith(&network.Later{After: time.Second, Why: "too fast"}) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v, book := newContacts(t)
				silence(book)
				want(t, "waiting", v.check(engine.Check{Inputs: []string{ana, "x"}, Wait: true}), ana+" failed, x invalid")
				v.check(engine.Check{Inputs: []string{ana}})
				time.Sleep(59 * time.Minute)
				settle()
				want(t, "after 59 minutes", fmt.Sprint(v.answers()), "[]")
				time.Sleep(2 * time.Minute)
				settle()
				want(t, "after an hour", fmt.Sprint(v.answers()), "["+ana+" failed]")
				book.failWith(nil)
				want(t, "a failure is not remembered", v.check(engine.Check{Inputs: []string{ana}, Wait: true}), ana+" valid "+ana)
			})
		})
	}
}
