package phoneui

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"kabar"
	"kabar/internal/phone"
	"kabar/internal/ui"
)

// The views: what the templates in html/ are given. Each template has one type.

// pageView is the template "page".
type pageView struct {
	Head    ui.Head
	Codes   []Code
	People  []person
	Handset *handset // nil while there are no customers
}

// person is the template "person": a row of the list.
type person struct {
	phone.Customer
	Order   int64  // sorts the list: the time of the newest message in milliseconds, 0 if there is none
	When    string // that time, today, or its day
	Line    ui.Line
	Ticks   ui.Ticks // of the newest message, if the customer wrote it
	Unread  string   // how many are unread; "" for none
	Current bool
	Into    string
}

// peek is how many messages are looked at for a row. Reading a message reads those before it, so that what is unread is
// at the end.
const peek = 30

// person reads a row of the list.
func (u *UI) person(ctx context.Context, c phone.Customer) (person, error) {
	p := person{Customer: c}
	messages, err := u.src.Thread(ctx, c.WaID, "", -1, peek)
	if err != nil {
		return p, fmt.Errorf("read thread: %w", err)
	}
	unread := 0
	for i := range messages {
		if isUnread(&messages[i]) {
			unread++
		}
	}
	switch {
	case unread == peek:
		p.Unread = strconv.Itoa(unread) + "+"
	case unread > 0:
		p.Unread = strconv.Itoa(unread)
	}
	if len(messages) > 0 {
		m := &messages[len(messages)-1]
		p.Order, p.When, p.Line = m.At.UnixMilli(), when(m.At.Local(), u.opt.Now().Local()), lineOf(m)
		if m.Mine && !m.Deleted {
			p.Ticks = ui.TicksOf(m.Status)
		}
	}
	return p, nil
}

func when(at, now time.Time) string {
	if at.Year() == now.Year() && at.YearDay() == now.YearDay() {
		return at.Format("15:04")
	}
	return at.Format("2 Jan")
}

// Number is how the number is written for people.
func (p person) Number() string { return number(p.Customer) }

// handset is everything about the chosen customer: the templates "handset", "header", "details", "profile".
type handset struct {
	phone.Customer
	API      string // address of the customer in the control API
	Business business
	Thread   thread
	Hint     string
}

// Number is how the number is written for people.
func (h *handset) Number() string { return number(h.Customer) }

// business is what the customer knows about the other side.
type business struct {
	kabar.Profile
	Number string // digits; empty when the phone knows no business
	Open   *hours // nil: it has not said when it is open
}

// DisplayName is the name of the business, or what stands for it until it has introduced itself.
func (b business) DisplayName() string { return cmp.Or(b.Name, plus(b.Number), "Business") }

// Known reports whether the business has introduced itself.
func (b business) Known() bool { return b.Name != "" }

// Phone is the number as people write it.
func (b business) Phone() string { return plus(b.Number) }

// Links are the websites that can be opened.
func (b business) Links() []string {
	var links []string
	for _, site := range b.Websites {
		if link := ui.WebLink(site); link != "" {
			links = append(links, link)
		}
	}
	return links
}

// thread is the template "bubbles".
type thread struct {
	Items   []item
	Earlier string // address of the bubbles before these; empty: there are none
	Last    int64  // seq of the newest
}

// item is one of a day, a remark that nobody has written, and a bubble.
type item struct {
	Day    *day
	Remark *remark
	Bubble *ui.Bubble
}

// remark is the template "remark": a line of the phone itself, such as "the security code has changed".
type remark struct {
	ID, Text, Into string
}

// day stands between the bubbles of two days.
type day struct {
	Key, Label, Into string
}

func dayOf(at time.Time, into string) *day {
	return &day{at.Format("2006-01-02"), at.Format("2 January 2006"), into}
}

func number(c phone.Customer) string {
	if c.HideNumber {
		return c.WaID
	}
	return plus(c.WaID)
}

func plus(digits string) string {
	if digits == "" {
		return ""
	}
	return "+" + digits
}

func (u *UI) emptyPage(ctx context.Context) (pageView, error) {
	codes, err := u.codes(ctx)
	return pageView{Head: ui.Head{Title: "Kabar phone", Class: "phone-page home", Stream: "/stream"}, Codes: codes}, err
}

// page reads everything a page shows.
func (u *UI) page(ctx context.Context, people []person, c phone.Customer, class string) (pageView, error) {
	h, err := u.handset(ctx, c)
	if err != nil {
		return pageView{}, err
	}
	if h.Thread, err = u.thread(ctx, h, pageSize, 0); err != nil {
		return pageView{}, err
	}
	codes, err := u.codes(ctx)
	if err != nil {
		return pageView{}, err
	}
	for i := range people {
		people[i].Current = people[i].WaID == c.WaID
	}
	stream := "/stream?c=" + url.QueryEscape(c.WaID) + "&after=" + strconv.FormatInt(h.Thread.Last, 10)
	return pageView{
		Head:    ui.Head{Title: c.Name + " · Kabar phone", Class: "phone-page " + class, Stream: stream},
		Codes:   codes,
		People:  people,
		Handset: h,
	}, nil
}

// handset reads what surrounds the thread.
func (u *UI) handset(ctx context.Context, c phone.Customer) (*handset, error) {
	h := &handset{Customer: c, API: api(c.WaID), Hint: strings.ReplaceAll(u.opt.Hint, "{to}", c.WaID)}
	known, err := u.src.Businesses(ctx, c.WaID)
	if err != nil {
		return nil, fmt.Errorf("list businesses: %w", err)
	}
	if len(known) == 0 {
		return h, nil
	}
	h.Business.Number = known[0]
	if h.Business.Profile, err = u.src.BusinessProfile(ctx, c.WaID, known[0]); err != nil {
		return nil, fmt.Errorf("read business profile: %w", err)
	}
	h.Business.Open = hoursOf(h.Business.Hours, u.opt.Now())
	return h, nil
}

const (
	pageSize   = 100     // bubbles of a page, and those added by "Earlier messages"
	maxHistory = 100_000 // bubbles that a page can have
)

// thread reads the newest messages, as many as count, and draws those before a seq (0: all).
func (u *UI) thread(ctx context.Context, h *handset, count int, before int64) (thread, error) {
	messages, err := u.src.Thread(ctx, h.WaID, h.Business.Number, -1, count)
	if err != nil {
		return thread{}, fmt.Errorf("read thread: %w", err)
	}
	d := drawer{src: u.src, h: h, known: messages}
	t := thread{}
	day := ""
	for i := range messages {
		m := &messages[i]
		t.Last = max(t.Last, m.Seq)
		if before > 0 && m.Seq >= before || !isDrawn(m) {
			continue
		}
		if next := dayOf(m.At.Local(), ""); next.Key != day {
			day = next.Key
			t.Items = append(t.Items, item{Day: next})
		}
		t.Items = append(t.Items, d.item(ctx, m, ""))
	}
	if len(messages) == count && (before == 0 || messages[0].Seq < before) {
		t.Earlier = fmt.Sprintf("/c/%s/earlier?before=%d&have=%d", url.PathEscape(h.WaID), messages[0].Seq, count)
	}
	return t, nil
}
