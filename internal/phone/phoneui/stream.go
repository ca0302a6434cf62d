package phoneui

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"

	"kabar/internal/phone"
	"kabar/internal/ui"
)

// viewer is one open stream: the list and, unless handset is nil, one chat.
type viewer struct {
	u       *UI
	out     *ui.Stream
	handset *handset
	last    int64 // seq of the newest bubble that was sent or, at the start, is on the page
}

// stream follows the list and the chat ?c=. It first sends what has changed since the page or the last event: the rows
// and the newest bubbles as they are now. What has not changed leaves no trace in the page. The id of an event is the
// seq up to which bubbles have been sent.
func (u *UI) stream(w http.ResponseWriter, r *http.Request) error {
	v := &viewer{u: u}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	changes := u.src.Watch(ctx) // before anything is read, so that no change falls between
	if err := v.load(ctx, r); err != nil {
		return err
	}
	out, err := ui.OpenStream(w)
	if err != nil {
		return nil // the client has gone
	}
	v.out = out
	if err := v.catchUp(ctx); err != nil {
		return v.ended(ctx, err)
	}
	return v.ended(ctx, ui.Follow(ctx, out, changes, func(batch []phone.Change) error {
		return v.apply(ctx, batch)
	}))
}

// ended reports a fault in the log only: the answer has begun, and the browser will ask again.
func (v *viewer) ended(ctx context.Context, err error) error {
	if err != nil && ctx.Err() == nil {
		v.u.log.DebugContext(ctx, "phone page stream ended", "error", err)
	}
	return nil
}

// load finds out who is looked at and from where on.
func (v *viewer) load(ctx context.Context, r *http.Request) error {
	handle := r.URL.Query().Get("c")
	if handle == "" {
		return nil
	}
	c, err := v.u.customer(ctx, handle)
	if err != nil {
		return err
	}
	if v.handset, err = v.u.handset(ctx, c); err != nil {
		return err
	}
	cursor := cmp.Or(ui.LastEvent(r), r.URL.Query().Get("after"), "0")
	if v.last, err = strconv.ParseInt(cursor, 10, 64); err != nil || v.last < 0 {
		return errNotFound
	}
	return nil
}

// catchUp sends the list, the panels, the newest bubbles and those that are newer than the cursor, as they are now.
func (v *viewer) catchUp(ctx context.Context) error {
	var b bytes.Buffer
	if err := v.codes(ctx, &b); err != nil {
		return err
	}
	if err := v.list(ctx, &b); err != nil {
		return err
	}
	if v.handset != nil {
		if err := v.panels(ctx, &b, v.handset.Customer, false); err != nil {
			return err
		}
		newest, err := v.thread(ctx, -1)
		if err != nil {
			return err
		}
		for i := range newest {
			if m := &newest[i]; m.Seq <= v.last {
				if err := v.item(ctx, &b, m, newest); err != nil {
					return err
				}
			}
		}
		if err := v.news(ctx, &b); err != nil {
			return err
		}
	}
	return v.send(&b)
}

// apply sends the fragments of everything a batch of changes names, each once.
func (v *viewer) apply(ctx context.Context, batch []phone.Change) error {
	if slices.Contains(batch, phone.Change{}) {
		return v.catchUp(ctx)
	}
	customers, err := v.u.src.Customers(ctx)
	if err != nil {
		return fmt.Errorf("list customers: %w", err)
	}
	var b bytes.Buffer
	for i, change := range batch {
		if slices.Contains(batch[i+1:], change) {
			continue // the later one finds the same
		}
		c := slices.IndexFunc(customers, func(c phone.Customer) bool { return c.WaID == change.Customer })
		if c < 0 {
			continue // gone since
		}
		if err := v.change(ctx, &b, customers[c], change); err != nil {
			return err
		}
	}
	return v.send(&b)
}

func (v *viewer) change(ctx context.Context, b *bytes.Buffer, c phone.Customer, change phone.Change) error {
	if err := v.row(ctx, b, c); err != nil {
		return err
	}
	if v.handset == nil || c.WaID != v.handset.WaID {
		return nil
	}
	if change.Message == "" {
		return v.panels(ctx, b, c, change.Typing)
	}
	m, err := v.u.src.Find(ctx, c.WaID, change.Message)
	if err != nil {
		return fmt.Errorf("read message: %w", err)
	}
	if m.Seq <= v.last {
		return v.item(ctx, b, &m, nil)
	}
	return v.news(ctx, b)
}

// codes sends the verification codes.
func (v *viewer) codes(ctx context.Context, b *bytes.Buffer) error {
	all, err := v.u.codes(ctx)
	if err != nil {
		return err
	}
	return v.fragment(b, "codes", all)
}

// list sends the whole list.
func (v *viewer) list(ctx context.Context, b *bytes.Buffer) error {
	people, err := v.u.people(ctx)
	if err != nil {
		return err
	}
	for i := range people {
		people[i].Current = v.isCurrent(people[i].WaID)
	}
	return v.fragment(b, "people", people)
}

// row sends one row of the list.
func (v *viewer) row(ctx context.Context, b *bytes.Buffer, c phone.Customer) error {
	p, err := v.u.person(ctx, c)
	if err != nil {
		return err
	}
	p.Current, p.Into = v.isCurrent(c.WaID), "people"
	return v.fragment(b, "person", p)
}

func (v *viewer) isCurrent(handle string) bool { return v.handset != nil && v.handset.WaID == handle }

// panels sends what surrounds the thread.
func (v *viewer) panels(ctx context.Context, b *bytes.Buffer, c phone.Customer, typing bool) (err error) {
	if v.handset, err = v.u.handset(ctx, c); err != nil {
		return err
	}
	for _, name := range []string{"header", "details", "profile"} {
		if err := v.fragment(b, name, v.handset); err != nil {
			return err
		}
	}
	return v.fragment(b, "typing", typing)
}

func (v *viewer) thread(ctx context.Context, after int64) ([]phone.Message, error) {
	messages, err := v.u.src.Thread(ctx, v.handset.WaID, v.handset.Business.Number, after, pageSize)
	if err != nil {
		return nil, fmt.Errorf("read thread: %w", err)
	}
	return messages, nil
}

// news sends the bubbles after the last one.
func (v *viewer) news(ctx context.Context, b *bytes.Buffer) error {
	for {
		messages, err := v.thread(ctx, v.last)
		if err != nil {
			return err
		}
		for i := range messages {
			m := &messages[i]
			if !m.Mine {
				if err := v.fragment(b, "typing", false); err != nil { // who has written is no longer writing
					return err
				}
			}
			if err := v.item(ctx, b, m, messages); err != nil {
				return err
			}
			v.last = m.Seq
		}
		if len(messages) < pageSize {
			return nil
		}
	}
}

// item sends a bubble. A new one is appended, with its day in case it is the first of it; an old one only takes the
// place of itself, for the page may not go back that far.
func (v *viewer) item(ctx context.Context, b *bytes.Buffer, m *phone.Message, known []phone.Message) error {
	if !isDrawn(m) {
		return nil
	}
	into := ""
	if m.Seq > v.last {
		into = "thread"
		if err := v.fragment(b, "day", dayOf(m.At.Local(), into)); err != nil {
			return err
		}
	}
	d := drawer{src: v.u.src, h: v.handset, known: known}
	return v.fragment(b, "item", d.item(ctx, m, into))
}

func (v *viewer) fragment(b *bytes.Buffer, name string, data any) error {
	html, err := v.u.pages.Fragment(name, data)
	b.Write(html)
	return err
}

func (v *viewer) send(b *bytes.Buffer) error {
	if b.Len() == 0 {
		return nil
	}
	return v.out.Send(strconv.FormatInt(v.last, 10), b.Bytes())
}
