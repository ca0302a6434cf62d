package webhook

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"kabar"
	"kabar/internal/store"
)

// shelf is what a store holds of an endpoint.
type shelf struct {
	mark int64
	rows map[int64]store.DeliveryState
}

// write does with a plan what save.go has the store do.
func (d *shelf) write(p *plan) {
	for _, r := range p.save {
		d.rows[r.Seq] = r.State
	}
	for _, seq := range p.drop {
		delete(d.rows, seq)
	}
	d.mark = max(d.mark, p.mark)
}

// model drives a window as a session does, and knows the truth about every event.
type model struct {
	log   []int64 // the seqs there are
	truth map[int64]store.DeliveryState
	disk  shelf
	saved map[int64]store.DeliveryState // the truth as the last commit had it
	w     window
	known map[int64]store.DeliveryState // rows above the mark when it was opened, of events that have not been read
	plan  *plan                         // under way
	next  map[int64]store.DeliveryState // the truth when it was made
}

func (m *model) reopen() {
	m.w = newWindow(8)
	m.w.begin(m.disk.mark)
	m.known = maps.Clone(m.disk.rows)
	m.plan = nil
	m.truth = maps.Clone(m.saved) // what was not committed has not happened
}

func (m *model) read(n int) {
	for _, seq := range m.log {
		if n == 0 || m.w.room() == 0 {
			return
		}
		if seq <= m.w.read {
			continue
		}
		if !m.w.join(seq) {
			m.w.add(store.EventHead{Seq: seq}, m.row(seq))
		}
		n--
	}
}

// row takes what an earlier session has stored of an event; nil for nothing.
func (m *model) row(seq int64) *store.Delivery {
	s, ok := m.known[seq]
	if !ok {
		return nil
	}
	delete(m.known, seq)
	return &store.Delivery{Seq: seq, State: s}
}

// record gives an event that has been read, or is parked, a new state. One that an earlier session parked can be drained before it is read.
func (m *model) record(seq int64, s store.DeliveryState) {
	m.truth[seq] = s
	if _, ok := m.known[seq]; ok {
		m.known[seq] = s
	}
	m.w.record(&store.Delivery{Seq: seq, State: s})
}

// candidates are the events that something can happen to: those that are open, and those whose parked row is committed.
// Nothing happens to one while its last change is being committed.
func (m *model) candidates() (all []int64) {
	for _, seq := range m.log {
		was, moved := m.saved[seq], m.truth[seq] != m.saved[seq]
		switch {
		case moved || was == store.Finished:
		case was == store.Parked, seq > m.w.mark && seq <= m.w.read, m.w.early[seq] != nil:
			all = append(all, seq)
		}
	}
	return all
}

// leave has what a plan holds stay as it was.
func (m *model) leave() {
	if m.plan == nil {
		return
	}
	for _, d := range m.plan.held {
		if was, ok := m.saved[d.Seq]; ok {
			m.next[d.Seq] = was
		} else {
			delete(m.next, d.Seq)
		}
	}
}

func (m *model) check(t *rapid.T) {
	for _, seq := range m.log {
		s, ok := m.disk.rows[seq]
		switch {
		case m.saved[seq] == store.Finished && seq > m.disk.mark && s != store.Finished:
			t.Fatalf("event %d is finished, above the mark %d, with row %v", seq, m.disk.mark, s)
		case m.saved[seq] == store.Finished && seq <= m.disk.mark && ok:
			t.Fatalf("event %d is finished, below the mark %d, with row %v", seq, m.disk.mark, s)
		case m.saved[seq] != store.Finished && m.saved[seq] != s:
			t.Fatalf("event %d is %v with row %v", seq, m.saved[seq], s)
		case m.saved[seq] != store.Finished && m.saved[seq] != store.Parked && seq <= m.disk.mark:
			t.Fatalf("event %d is open below the mark %d", seq, m.disk.mark)
		}
	}
	open, early := 0, 0
	for _, e := range m.w.entries {
		if e.standing == 0 {
			open++
		}
	}
	for _, e := range m.w.early {
		if e.standing == 0 {
			early++
		}
	}
	if m.w.waiting() != early {
		t.Fatalf("%d early ones are open, %d waiting", early, m.w.waiting())
	}
	if m.w.settled != len(m.w.entries)-open || len(m.w.entries) > m.w.limit {
		t.Fatalf("%d of %d entries are open, %d settled", open, len(m.w.entries), m.w.settled)
	}
}

func TestWindowAgainstModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := &model{truth: map[int64]store.DeliveryState{}, saved: map[int64]store.DeliveryState{}, disk: shelf{rows: map[int64]store.DeliveryState{}}}
		for seq := int64(0); len(m.log) < 40; {
			seq += int64(rapid.IntRange(1, 2).Draw(t, "gap"))
			m.log = append(m.log, seq)
		}
		m.reopen()
		t.Repeat(map[string]func(*rapid.T){
			"":     m.check,
			"read": func(t *rapid.T) { m.read(rapid.IntRange(1, 5).Draw(t, "n")) },
			"ahead": func(t *rapid.T) {
				seq := rapid.SampledFrom(m.log).Draw(t, "seq")
				if seq <= m.w.read || m.w.early[seq] != nil {
					t.Skip()
				}
				m.w.ahead(store.EventHead{Seq: seq}, m.row(seq))
			},
			"record": func(t *rapid.T) {
				all := m.candidates()
				if len(all) == 0 {
					t.Skip()
				}
				seq := rapid.SampledFrom(all).Draw(t, "seq")
				states := []store.DeliveryState{store.Finished, store.Parked}
				if m.saved[seq] != store.Parked {
					states = append(states, store.Finished, store.Retrying)
				}
				m.record(seq, rapid.SampledFrom(states).Draw(t, "state"))
			},
			"plan": func(t *rapid.T) {
				if m.plan == nil {
					m.plan, m.next = m.w.plan(rapid.Bool().Draw(t, "hold")), maps.Clone(m.truth)
					m.leave()
				}
			},
			"commit": func(t *rapid.T) {
				if m.plan != nil {
					m.disk.write(m.plan)
					m.w.apply(m.plan)
					m.plan, m.saved = nil, m.next
				}
			},
			"crash": func(t *rapid.T) { m.reopen() },
			"crash after the commit": func(t *rapid.T) {
				if m.plan != nil {
					m.disk.write(m.plan)
					m.saved = m.next
				}
				m.reopen()
			},
		})
		m.finish(t)
	})
}

// finish delivers everything: no row is left, and the mark is at the end.
func (m *model) finish(t *rapid.T) {
	m.reopen()
	for range 100 {
		m.read(100)
		for _, seq := range m.candidates() {
			m.record(seq, store.Finished)
		}
		if p := m.w.plan(false); p != nil {
			m.disk.write(p)
			m.w.apply(p)
			m.saved = maps.Clone(m.truth)
		}
	}
	m.check(t)
	if last := m.log[len(m.log)-1]; m.disk.mark != last || len(m.disk.rows) != 0 {
		t.Fatalf("mark %d with rows %v, want %d and none", m.disk.mark, m.disk.rows, last)
	}
}

// What is told early can be gone from the log when the window gets there, with the customer or by age, while a request is under way.
func TestWhatIsToldEarlyMayBeGone(t *testing.T) {
	w := newWindow(100)
	for _, seq := range []int64{5, 6, 20} {
		w.ahead(store.EventHead{Seq: seq}, nil)
	}
	w.record(&store.Delivery{Seq: 6, State: store.Finished})
	w.apply(w.plan(false))
	from := w.read
	for _, seq := range []int64{1, 2, 9} {
		w.add(store.EventHead{Seq: seq}, nil)
	}
	w.catchUp(from)
	if e := w.find(5); e == nil || e.standing != open || w.waiting() != 1 || w.passed != 0 || w.open() != 4 {
		t.Fatalf("%+v, %d waiting, %d passed, %d open", e, w.waiting(), w.passed, w.open())
	}
	for _, seq := range []int64{1, 2, 5, 9} {
		w.record(&store.Delivery{Seq: seq, State: store.Finished})
	}
	if p := w.plan(false); p.mark != 9 || !slices.Equal(p.drop, []int64{6}) {
		t.Errorf("mark %d, drop %v", p.mark, p.drop)
	}
}

// TestFinishingInOrderNeedsNoRows is what usually happens.
func TestFinishingInOrderNeedsNoRows(t *testing.T) {
	w := window{limit: 100}
	for seq := range int64(10) {
		w.add(store.EventHead{Seq: seq + 1}, nil)
	}
	finish := func(seqs ...int64) *plan {
		for _, seq := range seqs {
			w.record(&store.Delivery{Seq: seq, State: store.Finished})
		}
		p := w.plan(false)
		w.apply(p)
		return p
	}
	for _, c := range []struct {
		finish []int64
		want   string
	}{
		{[]int64{1}, "1 [] []"},
		{[]int64{3, 2}, "3 [] []"},
		{[]int64{5, 6}, "3 [5 6] []"},
		{[]int64{4}, "6 [] [5 6]"},
		{[]int64{10, 8}, "6 [10 8] []"},
		{[]int64{7, 9}, "10 [] [8 10]"},
	} {
		p := finish(c.finish...)
		var saved []int64
		for _, d := range p.save {
			saved = append(saved, d.Seq)
		}
		if got := fmt.Sprint(p.mark, saved, p.drop); got != c.want {
			t.Errorf("finishing %v: %s, want %s", c.finish, got, c.want)
		}
	}
	if w.plan(false) != nil || len(w.entries) != 0 {
		t.Error("something is left")
	}
}

func TestRequestID(t *testing.T) {
	at := time.UnixMilli(1_700_000_000_123)
	one := func(seq int64, at time.Time) []*item { return []*item{{seq: seq, at: at}} }
	first := requestID(7, 3, one(1, at))
	if want := "evt_tjfuwmgrgcplgb5e5axnszd2pm"; first != want {
		t.Errorf("id %s, want %s: applications would see events again", first, want)
	}
	ids := []string{first, requestID(8, 3, one(1, at)), requestID(7, 4, one(1, at)), requestID(7, 3, one(2, at)),
		requestID(7, 3, one(1, at.Add(time.Millisecond))), requestID(7, 3, append(one(1, at), one(2, at)...)),
		requestID(7, 3, append(one(1, at), one(3, at)...))}
	slices.Sort(ids)
	if n := len(slices.Compact(ids)); n != 7 {
		t.Errorf("%d different ids, want 7", n)
	}
	if requestID(7, 3, one(1, at.UTC().Add(time.Microsecond))) != first {
		t.Error("what the store does not keep of a time changes the id")
	}
}

func TestBackoffBounds(t *testing.T) {
	for _, c := range []struct {
		step, most time.Duration
		n          int
		want       time.Duration
	}{
		{3 * time.Second, 15 * time.Minute, 1, 3 * time.Second},
		{3 * time.Second, 15 * time.Minute, 299, 897 * time.Second},
		{3 * time.Second, 15 * time.Minute, 301, 15 * time.Minute},
		{3 * time.Second, 15 * time.Minute, 1 << 62, 15 * time.Minute},
		{4 * time.Second, 10 * time.Second, 3, 10 * time.Second},
		{time.Minute, time.Second, 1, time.Second},
		{0, 0, 1, leastWait},
		{-time.Second, time.Minute, 2, 2 * leastWait},
	} {
		if got := backoff(c.step, c.most, c.n); got != c.want {
			t.Errorf("backoff(%v, %v, %d) is %v, want %v", c.step, c.most, c.n, got, c.want)
		}
	}
}

// TestProbesGoRound tries the customer who was tried the fewest times, and parked ones only when there is nobody else.
func TestProbesGoRound(t *testing.T) {
	ls := lanes{all: map[kabar.ConversationID]*lane{}}
	for c, attempts := range []int{3, 1, 1, 2} {
		l := ls.of(kabar.ConversationID(c))
		l.attempts, l.queue = attempts, []*entry{{}}
		ls.settle(l)
	}
	ls.resume(store.ParkedCustomer{Conversation: 9, Events: 2})
	var got []kabar.ConversationID
	for range 6 {
		if l := ls.probe(); l != nil {
			got = append(got, l.conversation)
			l.queue = nil
			if !l.parked {
				ls.settle(l)
			}
		}
	}
	if want := []kabar.ConversationID{1, 2, 3, 0, 9}; !slices.Equal(got, want) {
		t.Errorf("probes of %v, want %v", got, want)
	}
}

// TestParkedUntilTheLastRow keeps a customer parked while a row of theirs is on its way to the store: what comes after it
// must not overtake it.
func TestParkedUntilTheLastRow(t *testing.T) {
	ls := lanes{all: map[kabar.ConversationID]*lane{}}
	ls.resume(store.ParkedCustomer{Conversation: 9, Events: 1})
	l := ls.drain()
	l.rows, l.coming = 0, 1 // the last row has been drained, another one is not committed
	ls.settle(l)
	if !l.parked || l.turn != idle || ls.drain() != nil {
		t.Errorf("the lane is %+v, want it parked and idle", l)
	}
	l.rows, l.coming = 1, 0
	ls.settle(l)
	if ls.drain() != l {
		t.Error("the row that has arrived is not drained")
	}
	l.rows = 0
	ls.settle(l)
	if l.parked || len(ls.all) != 0 || ls.parked != 0 {
		t.Errorf("the lane is %+v, want it gone", l)
	}
}
