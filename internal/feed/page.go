package feed

import (
	"cmp"
	"context"

	"kabar"
	"kabar/internal/trace"
)

// MaxPage is how many events one page has at most, and DefaultPage how many it has unless somebody says.
const (
	MaxPage     = 100
	DefaultPage = 25
)

// maxLooked is how many events are looked at for one page: a filter that lets little pass has pages that are short, and go on.
const maxLooked = 2000

// Page is a part of what was read, oldest first.
type Page struct {
	Data []*Entry
	Next string // the cursor behind it
	More bool   // there may be more already; when not, Next is for later
}

// List returns the events of a query, oldest first.
func (f *Feed) List(ctx context.Context, of trace.Of, q Query) (*Page, error) {
	q.Limit = cmp.Or(q.Limit, DefaultPage)
	if q.Limit < 1 || q.Limit > MaxPage {
		return nil, kabar.Refuse(kabar.ReasonInvalid, "limit", "is %d, allowed are 1 to %d", q.Limit, MaxPage)
	}
	if err := f.check(&q); err != nil {
		return nil, err
	}
	numbers, err := f.numbers(ctx, of, q.Number)
	if err != nil {
		return nil, err
	}
	if q.Message != "" {
		p, err := f.tellMessage(ctx, of, numbers, q)
		return p, refusal(err)
	}
	at, err := f.start(ctx, numbers, q)
	if err != nil {
		return nil, refusal(err)
	}
	r, err := f.read(ctx, numbers, at)
	if err != nil {
		return nil, refusal(err)
	}
	p, err := f.page(ctx, r, q)
	return p, refusal(err)
}

// start returns where a query begins.
func (f *Feed) start(ctx context.Context, numbers []*kabar.Number, q Query) (Cursor, error) {
	switch {
	case q.After != "":
		return ParseCursor(q.After)
	case !q.Since.IsZero():
		return f.since(ctx, numbers, q.Since)
	}
	return Cursor{}, nil
}

func (f *Feed) page(ctx context.Context, r *Reader, q Query) (*Page, error) {
	p := &Page{More: true}
	for looked := 0; len(p.Data) < q.Limit && looked < maxLooked; looked++ {
		it, n, err := r.next(ctx)
		if err != nil {
			return nil, err
		}
		if it.Event == nil {
			p.More = false
			break
		}
		if !it.WantedBy(&q.Filter) {
			continue
		}
		e, err := f.entry(it, n, q.Dialect)
		if err != nil {
			return nil, err
		}
		if e != nil {
			p.Data = append(p.Data, e)
		}
	}
	p.Next = r.Cursor().String()
	return p, nil
}

// tellMessage returns what is told of one message, on one page.
func (f *Feed) tellMessage(ctx context.Context, of trace.Of, numbers []*kabar.Number, q Query) (*Page, error) {
	if q.After != "" || !q.Since.IsZero() {
		return nil, kabar.Refuse(kabar.ReasonNotRequired, "after", "is not for the events of one message: they are one page")
	}
	id, seqs, err := f.o.Message(ctx, of, q.Message)
	if err != nil {
		return nil, err
	}
	p := &Page{}
	for _, n := range numbers {
		if n.ID != id {
			continue
		}
		all, err := f.ofMessage(ctx, id, seqs)
		if err != nil {
			return nil, err
		}
		for _, it := range all {
			if !it.WantedBy(&q.Filter) {
				continue
			}
			e, err := f.entry(it, n, q.Dialect)
			if err != nil {
				return nil, err
			}
			if e != nil {
				p.Data = append(p.Data, e)
			}
		}
	}
	return p, nil
}
