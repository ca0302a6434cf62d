package store_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"kabar"
	"kabar/internal/store"
	"kabar/internal/storetest"
)

// fillTemplates stores templates of the account, ten languages a name.
func fillTemplates(t testing.TB, s *storetest.Env, a kabar.AccountID, n int) {
	t.Helper()
	languages := kabar.TemplateLanguages()[:10]
	s.Write(t, func(tx *store.Tx) error {
		for i := range n {
			d := &kabar.TemplateDef{Account: a, Name: fmt.Sprintf("order_%04d", i/10), Language: languages[i%10], Category: kabar.CategoryUtility,
				Status: kabar.TemplateApproved, Life: kabar.TemplateLife{Created: s.Now},
				Components: []kabar.TemplateComponent{{Type: kabar.TemplateHeader, Text: "Your order"},
					{Type: kabar.TemplateBody, Text: fmt.Sprintf("Order NR %d_%d%% of {{1}} has been sent and arrives soon.", i, i)},
					{Type: kabar.TemplateButtons, Buttons: []kabar.TemplateButton{{Type: kabar.ButtonURL, Text: "Track", URL: "https://shop.example/{{1}}"}}}}}
			if i%3 == 0 {
				d.Status, d.Category = kabar.TemplatePending, kabar.CategoryMarketing
			}
			if i == 7 {
				d.Status, d.Life.Score = kabar.TemplateDeleted, kabar.ScoreRed
			}
			if err := tx.SaveTemplate(d); err != nil {
				return err
			}
		}
		return nil
	})
}

func TestListTemplates(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		fillTemplates(t, s, s.A.Account, 60)
		fillTemplates(t, s, s.B.Account, 5)
		count := func(q store.TemplateQuery) int {
			t.Helper()
			q.Limit = 100
			all, more, err := s.DB.ListTemplates(t.Context(), s.A.Account, q)
			if err != nil || more {
				t.Fatal(err, more)
			}
			return len(all)
		}
		for what, tt := range map[string]struct {
			q    store.TemplateQuery
			want int
		}{
			"all but the deleted one": {store.TemplateQuery{}, 59},
			"a name":                  {store.TemplateQuery{Name: "order_0001"}, 10},
			"a language":              {store.TemplateQuery{Language: kabar.TemplateLanguages()[0]}, 6},
			"a category":              {store.TemplateQuery{Category: kabar.CategoryMarketing}, 20},
			"a status":                {store.TemplateQuery{Statuses: []kabar.TemplateStatus{kabar.TemplateDeleted}}, 1},
			"two statuses":            {store.TemplateQuery{Statuses: []kabar.TemplateStatus{kabar.TemplateDeleted, kabar.TemplatePending}}, 21},
			"a score":                 {store.TemplateQuery{Score: kabar.ScoreRed, Statuses: []kabar.TemplateStatus{kabar.TemplateDeleted}}, 1},
			"a text in either case":   {store.TemplateQuery{Content: "ORDER nr 12_12% OF"}, 1},
			"wildcards are text":      {store.TemplateQuery{Content: "nr%of"}, 0},
			"a name is no text":       {store.TemplateQuery{Content: "order_0001"}, 0},
			"a name or a text":        {store.TemplateQuery{NameOrText: "Order_0001"}, 10},
			"several at once":         {store.TemplateQuery{Name: "order_0001", Category: kabar.CategoryMarketing}, 3},
			"none":                    {store.TemplateQuery{Name: "x"}, 0},
		} {
			if got := count(tt.q); got != tt.want {
				t.Errorf("%s: %d, want %d", what, got, tt.want)
			}
		}
		var forth, back []string
		for q := (store.TemplateQuery{Limit: 7}); ; {
			all, more, err := s.DB.ListTemplates(t.Context(), s.A.Account, q)
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range all {
				forth = append(forth, d.Name+" "+d.Language)
			}
			last := all[len(all)-1]
			if q.After = (&store.TemplateSpot{Name: last.Name, Language: last.Language}); !more {
				break
			}
		}
		for q := (store.TemplateQuery{Limit: 7, Before: &store.TemplateSpot{Name: "x"}}); ; {
			all, more, err := s.DB.ListTemplates(t.Context(), s.A.Account, q)
			if err != nil {
				t.Fatal(err)
			}
			var page []string
			for _, d := range all {
				page = append(page, d.Name+" "+d.Language)
			}
			back = append(page, back...)
			if q.Before = (&store.TemplateSpot{Name: all[0].Name, Language: all[0].Language}); !more {
				break
			}
		}
		if len(forth) != 59 || !slices.Equal(forth, back) || len(slices.Compact(slices.Clone(forth))) != 59 {
			t.Errorf("forth %q\nback %q", forth, back)
		}
	})
}

func TestTemplateIDs(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		fillTemplates(t, s, s.A.Account, 5)
		fillTemplates(t, s, s.B.Account, 1)
		all, err := s.DB.Templates(t.Context(), s.A.Account)
		if err != nil || len(all) != 5 {
			t.Fatal(all, err)
		}
		seen := map[kabar.TemplateID]bool{}
		for _, d := range all {
			if d.ID < 1e14 || d.ID > 1<<53 || seen[d.ID] {
				t.Errorf("%s has the id %d", d.Language, d.ID)
			}
			seen[d.ID] = true
			if got, err := s.DB.TemplateByID(t.Context(), s.A.Account, d.ID); err != nil || got.Language != d.Language {
				t.Errorf("by id: %v, %v", got, err)
			}
			if got, err := s.DB.TemplateByID(t.Context(), s.B.Account, d.ID); err == nil {
				t.Errorf("of another account: %v", got)
			}
		}
		again := *all[0]
		again.ID = 0
		s.Write(t, func(tx *store.Tx) error { return tx.SaveTemplate(&again) })
		if again.ID != all[0].ID {
			t.Errorf("a changed template has the id %d, it was %d", again.ID, all[0].ID)
		}
	})
}

func TestDueTemplates(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		at := func(minutes int) time.Time { return s.Now.Add(time.Duration(minutes) * time.Minute) }
		s.Write(t, func(tx *store.Tx) error {
			var errs []error
			for name, minutes := range map[string]int{"late": 9, "soon": 1, "sooner": 0} {
				d := &kabar.TemplateDef{Account: s.A.Account, Name: name, Language: "en"}
				d.Life.Dues = []kabar.TemplateTask{{What: kabar.TaskReview, At: at(minutes)}, {What: kabar.TaskPace, At: at(minutes + 1)}}
				errs = append(errs, tx.SaveTemplate(d))
			}
			return errors.Join(append(errs, tx.SaveTemplate(&kabar.TemplateDef{Account: s.A.Account, Name: "never", Language: "en"}))...)
		})
		if next, err := s.DB.NextDue(t.Context()); err != nil || !next.Equal(at(0)) {
			t.Errorf("next %v, %v", next, err)
		}
		all, err := s.DB.DueTemplates(t.Context(), at(1), 10)
		var names []string
		for _, d := range all {
			names = append(names, d.Name)
		}
		if strings.Join(names, " ") != "sooner soon" || err != nil {
			t.Errorf("due %q, %v", names, err)
		}
	})
}

// Templates from before have no text to be searched until the server has filled it in.
func TestFillTemplates(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		fillTemplates(t, s, s.A.Account, 2)
		exec(t, s, "UPDATE template SET words = '', twin = ''")
		if err := s.DB.FillTemplates(t.Context()); err != nil {
			t.Fatal(err)
		}
		all, _, err := s.DB.ListTemplates(t.Context(), s.A.Account, store.TemplateQuery{Content: "sent and arrives", Limit: 9})
		if err != nil || len(all) != 2 {
			t.Errorf("%d found, %v", len(all), err)
		}
		other := *all[0]
		other.Name = "other"
		if twins, err := s.DB.Twins(t.Context(), &other); err != nil || len(twins) != 1 || twins[0].Language != all[0].Language {
			t.Errorf("twins %v, %v", twins, err)
		}
		for but, want := range map[string]int{"": 1, "order_0000": 0} { // two languages of one
			if n, lately, err := s.DB.CountTemplates(t.Context(), s.A.Account, but, s.Now); n != want || lately != 0 || err != nil {
				t.Errorf("but %q: %d, %d, %v", but, n, lately, err)
			}
		}
	})
}

// A template is read again after it has changed, and only then.
func TestSendableTemplate(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		fillTemplates(t, s, s.A.Account, 1)
		get := func() *kabar.TemplateDef {
			d, err := s.DB.SendableTemplate(t.Context(), s.A.Account, "order_0000", kabar.TemplateLanguages()[0])
			if err != nil {
				t.Fatal(err)
			}
			return d
		}
		first := get()
		if get() != first {
			t.Error("read again")
		}
		changed := *first
		changed.Status = kabar.TemplatePaused
		s.Write(t, func(tx *store.Tx) error { return tx.SaveTemplate(&changed) })
		if get().Status != kabar.TemplatePaused {
			t.Error("the change is not seen")
		}
		s.Write(t, func(tx *store.Tx) error { return tx.RemoveTemplate(first) })
		if _, err := s.DB.SendableTemplate(t.Context(), s.A.Account, "order_0000", kabar.TemplateLanguages()[0]); err == nil {
			t.Error("a removed template is found")
		}
	})
}

// BenchmarkListTemplates lists 6,000 templates by pages of 100: plainly, by status, and by a text that the last of them has.
func BenchmarkListTemplates(b *testing.B) {
	for _, database := range []string{"sqlite", "postgres"} {
		s := storetest.Open(b, database)
		fillTemplates(b, s, s.A.Account, kabar.TemplatesMost)
		for name, q := range map[string]store.TemplateQuery{"all": {}, "status": {Statuses: []kabar.TemplateStatus{kabar.TemplatePending}}, "content": {Content: "nr 59"}} {
			b.Run(database+"/"+name, func(b *testing.B) {
				q := q
				q.Limit, q.After = 100, nil
				pages, slowest := 0, time.Duration(0)
				for b.Loop() {
					begin := time.Now()
					all, more, err := s.DB.ListTemplates(b.Context(), s.A.Account, q)
					if err != nil {
						b.Fatal(err)
					}
					slowest = max(slowest, time.Since(begin))
					pages++
					if q.After = nil; more {
						last := all[len(all)-1]
						q.After = &store.TemplateSpot{Name: last.Name, Language: last.Language}
					}
				}
				b.ReportMetric(float64(slowest.Microseconds())/1000, "slowest-ms")
			})
		}
	}
}
