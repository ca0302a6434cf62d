package engine

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"kabar"
	"kabar/internal/csvtable"
	"kabar/internal/store"
)

// NewBroadcast is a broadcast that somebody wants.
type NewBroadcast struct {
	Number    kabar.NumberID
	Template  string
	Language  string
	Map       map[string]string // column by kabar.Place; a place that is not in it is filled by the column of its own name
	Table     string            // CSV with a header row, one column of which is ColumnTo
	List      []map[string]string
	StartAt   time.Time // now, unless it lies ahead
	PerSecond int       // messages a second at most; 0: as many as the number may
	By        string
	Once      *Once // nil: the same request twice is two broadcasts
	// Answer renders the answer to the request within the last commit; with a Once, which needs it, it is stored with the broadcast.
	Answer func(*CreatedBroadcast) (status int, body []byte, err error)
}

// ColumnTo is the column of a list that says who gets the message: a phone number in any usual writing, or a BSUID.
const ColumnTo = "to"

// ListFaults are what is wrong with a list of recipients, with where it is: all at once, of more than csvtable.MaxFaults the first, and
// how many there are beside them.
type ListFaults struct{ Faults []string }

func (f *ListFaults) Error() string { return strings.Join(f.Faults, "\n") }

// broadcastPlan is a broadcast that can be stored.
type broadcastPlan struct {
	line       *line
	def        *kabar.TemplateDef
	broadcast  kabar.Broadcast
	recipients []kabar.BroadcastRecipient
}

// plan checks everything that can be known beforehand.
func (b *Broadcasts) plan(ctx context.Context, in NewBroadcast) (*broadcastPlan, error) {
	l, err := b.e.line(in.Number)
	if err != nil {
		return nil, err
	}
	now := b.e.now()
	switch {
	case in.PerSecond < 0 || in.PerSecond > kabar.MaxBroadcastPace:
		return nil, kabar.Refuse(kabar.ReasonInvalid, "per_second", "is %d, it must be 1 to %d", in.PerSecond, kabar.MaxBroadcastPace)
	case in.StartAt.After(now.Add(kabar.MaxBroadcastAhead)):
		return nil, kabar.Refuse(kabar.ReasonInvalid, "start_at", "is more than a year ahead")
	case in.Template == "" || in.Language == "":
		return nil, kabar.Refuse(kabar.ReasonMissing, "template", "name the template and its language")
	case (in.Table == "") == (len(in.List) == 0):
		return nil, kabar.Refuse(kabar.ReasonMissing, "recipients", "give a list of recipients or a CSV file, and not both")
	}
	if in.StartAt.Before(now) {
		in.StartAt = now
	}
	def, err := b.e.db.SendableTemplate(ctx, l.number.Account, in.Template, in.Language)
	if store.IsNotFound(err) {
		err = b.e.noTemplate(ctx, l, &kabar.Template{Name: in.Template, Language: kabar.Language{Code: in.Language}})
	}
	if err == nil {
		err = def.CanSend()
	}
	if err != nil {
		return nil, store.Refusal(err)
	}
	r, err := newListReader(def, l.number, in.Map)
	if err != nil {
		return nil, err
	}
	if faults := r.read(in); len(faults) > 0 {
		return nil, &ListFaults{faults}
	}
	return &broadcastPlan{line: l, def: def, recipients: r.recipients, broadcast: kabar.Broadcast{Account: l.number.Account, Number: l.number.ID,
		State: kabar.BroadcastLoading, Template: in.Template, Language: in.Language, Map: r.columns, PerSecond: in.PerSecond, Recipients: len(r.recipients),
		By: in.By, Created: now, StartAt: in.StartAt}}, nil
}

// listReader reads the recipients of a broadcast.
type listReader struct {
	def     *kabar.TemplateDef
	from    *kabar.Number
	places  []kabar.Place
	columns map[string]string // by place
	given   map[string]string // the same, as far as it was said

	recipients []kabar.BroadcastRecipient
	seen       map[string]string // handle to where it is
}

// newListReader finds out which column fills which place.
func newListReader(def *kabar.TemplateDef, from *kabar.Number, given map[string]string) (*listReader, error) {
	places, err := def.Places()
	if err != nil {
		return nil, err
	}
	r := &listReader{def: def, from: from, places: places, columns: map[string]string{}, given: given, seen: map[string]string{}}
	var names []string
	for _, p := range places {
		names = append(names, p.Name)
		r.columns[p.Name] = strings.ToLower(strings.TrimSpace(orElse(given[p.Name], p.Name)))
	}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		switch {
		case len(names) == 0:
			return nil, kabar.Refuse(kabar.ReasonNotRequired, "map", "names %.40q, and the template takes nothing", name)
		case !slices.Contains(names, name):
			return nil, kabar.Refuse(kabar.ReasonInvalid, "map", "names %.40q; the template takes %s", name, strings.Join(names, ", "))
		}
	}
	return r, nil
}

// read reads the list, and returns everything that is wrong with it.
func (r *listReader) read(in NewBroadcast) (faults []string) {
	if in.Table != "" {
		faults = csvtable.Read(in.Table, r.table(), func(row csvtable.Row) []string { return r.take(fmt.Sprintf("line %d", row.Line), row.Get) })
	} else {
		for i, values := range in.List {
			at := fmt.Sprintf("recipients[%d]", i)
			for _, f := range r.take(at, func(column string) string { return valueOf(values, column) }) {
				faults = append(faults, at+": "+f)
			}
		}
		faults = csvtable.Few(faults)
	}
	if n := len(r.recipients); len(faults) == 0 && n > kabar.MaxBroadcast {
		faults = []string{fmt.Sprintf("there are %d recipients, the limit of a broadcast is %d: make several of it", n, kabar.MaxBroadcast)}
	}
	return faults
}

// valueOf finds a column whose name may be written in any case, as in a file.
func valueOf(values map[string]string, column string) string {
	if v, ok := values[column]; ok {
		return strings.TrimSpace(v)
	}
	for name, v := range values {
		if strings.ToLower(strings.TrimSpace(name)) == column {
			return strings.TrimSpace(v)
		}
	}
	return ""
}

func (r *listReader) table() csvtable.Columns {
	c := csvtable.Columns{Required: []string{ColumnTo}, Any: true}
	for _, p := range r.places {
		if column := r.columns[p.Name]; (!p.Optional || r.given[p.Name] != "") && !slices.Contains(c.Required, column) {
			c.Required = append(c.Required, column)
		}
	}
	return c
}

// take takes a row of the list, which is at a line or an index, and returns what is wrong with it.
func (r *listReader) take(at string, get func(column string) string) (faults []string) {
	who, err := ParseRecipient(get(ColumnTo))
	switch handle := who.Handle(); {
	case err != nil:
		faults = append(faults, explained(err))
	case handle == r.from.Digits:
		faults = append(faults, "to: is the number itself")
	case r.seen[handle] != "":
		faults = append(faults, fmt.Sprintf("to: %s has it already: each recipient gets one message", r.seen[handle]))
	default:
		r.seen[handle] = at
	}
	values, missing := map[string]string{}, false
	for _, p := range r.places {
		v := get(r.columns[p.Name])
		switch {
		case v != "":
			values[p.Name] = v
		case !p.Optional:
			missing = true
			faults = append(faults, fmt.Sprintf("%s: is empty, and the template takes it for %s", r.columns[p.Name], p.Name))
		}
	}
	filled := r.def.Fill(values)
	if err := filled.Validate(); err != nil && !missing {
		faults = append(faults, explained(err))
	} else if _, err := r.def.Render(filled, nil); err != nil && !missing {
		faults = append(faults, explained(err))
	}
	if len(faults) == 0 {
		r.recipients = append(r.recipients, kabar.BroadcastRecipient{Row: len(r.recipients) + 1, Handle: who.Handle(), Values: values})
	}
	return faults
}

func explained(err error) string {
	if refused, ok := errors.AsType[*kabar.Error](err); ok {
		return refused.Explanation()
	}
	return err.Error()
}
