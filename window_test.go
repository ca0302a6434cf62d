package kabar

import (
	"testing"
	"time"
)

func TestTheEntryPointOfAnAd(t *testing.T) {
	start := time.Date(2031, 5, 2, 12, 0, 0, 0, time.UTC)
	ad, post := &Referral{SourceType: "ad"}, &Referral{SourceType: "post"}
	for name, c := range map[string]struct {
		from    *Referral
		replies []time.Duration // after the customer has written
		again   time.Duration   // when the customer comes by way of an ad once more; 0: never
		want    time.Duration   // end of the entry point; 0: there is none
	}{
		"a reply opens it":                 {ad, []time.Duration{time.Hour}, 0, 73 * time.Hour},
		"the last moment":                  {ad, []time.Duration{Window - 1}, 0, Window - 1 + EntryPointWindow},
		"too late":                         {ad, []time.Duration{Window}, 0, 0},
		"only the first reply":             {ad, []time.Duration{0, time.Hour, 23 * time.Hour}, 0, 72 * time.Hour},
		"no reply":                         {ad, nil, 0, 0},
		"a post is no ad":                  {post, []time.Duration{time.Hour}, 0, 0},
		"no referral":                      {nil, []time.Duration{time.Hour}, 0, 0},
		"another ad, another reply":        {ad, []time.Duration{time.Hour, 50 * time.Hour}, 49 * time.Hour, (50 + 72) * time.Hour},
		"another ad without another reply": {ad, []time.Duration{time.Hour}, 49 * time.Hour, 73 * time.Hour},
	} {
		conv := &Conversation{}
		if changed := conv.Refer(c.from, start); changed != (c.from == ad) {
			t.Errorf("%s: noted %v", name, changed)
		}
		for _, after := range c.replies {
			if c.again != 0 && after > c.again {
				conv.Refer(ad, start.Add(c.again))
			}
			was := conv.EntryPoint
			if changed := conv.Reply(start.Add(after)); changed != !was.Equal(conv.EntryPoint) {
				t.Errorf("%s: a reply after %v changes it: %v", name, after, changed)
			}
		}
		if c.want == 0 {
			if !conv.EntryPoint.IsZero() {
				t.Errorf("%s: it is open until %v", name, conv.EntryPoint)
			}
			continue
		}
		end := start.Add(c.want)
		if !conv.EntryPoint.Equal(end) || !conv.EntryPointOpen(end.Add(-1)) || conv.EntryPointOpen(end) {
			t.Errorf("%s: it is open until %v, want %v", name, conv.EntryPoint, end)
		}
	}
	late := &Conversation{AdTapped: start}
	if late.Refer(ad, start) || late.Refer(ad, start.Add(-1)) {
		t.Error("an earlier message takes the place of a later one")
	}
}

func TestWindowState(t *testing.T) {
	now := time.Date(2031, 5, 2, 12, 0, 0, 0, time.UTC)
	wrote := func(ago time.Duration) *Conversation { return &Conversation{LastInbound: now.Add(-ago)} }
	entry := &Conversation{LastInbound: now.Add(-30 * time.Hour), EntryPoint: now.Add(time.Hour)}
	barred := &Conversation{LastInbound: now, Barred: now.Add(-time.Minute), Blocked: true}
	for name, c := range map[string]struct {
		of   *Conversation
		want WindowState
	}{
		"nobody":                     {nil, WindowState{Reason: WindowNever}},
		"who has not written":        {&Conversation{}, WindowState{Reason: WindowNever}},
		"who has":                    {wrote(time.Hour), WindowState{Open: true, Since: now.Add(-time.Hour), Until: now.Add(23 * time.Hour), Reason: WindowWritten}},
		"a day ago":                  {wrote(Window), WindowState{Since: now, Reason: WindowOver}},
		"with an entry point":        {entry, WindowState{Since: now.Add(-6 * time.Hour), Reason: WindowOver, EntryPoint: now.Add(time.Hour)}},
		"whom the business blocks":   {barred, WindowState{Since: now.Add(-time.Minute), Reason: WindowBarred}},
		"who blocks the business":    {&Conversation{LastInbound: now, Blocked: true}, WindowState{Reason: WindowBlocked}},
		"with one that has just run": {&Conversation{EntryPoint: now}, WindowState{Reason: WindowNever}},
	} {
		if got := c.of.WindowState(now); got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}
