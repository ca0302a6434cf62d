package console

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"kabar"
	"kabar/internal/auth"
	"kabar/internal/endpoint"
	"kabar/internal/store"
	"kabar/internal/ui/uitest"
)

// logged has three events stand at a new endpoint: one that was taken after a failure, one that is tried again, one that waits.
func (d *hookDesk) logged(answer string) (g endpoint.Group, seqs []int64) {
	d.t.Helper()
	g = d.add()
	e := g.First()
	at := d.k.now.Add(-10 * time.Minute)
	for i := range 3 {
		seqs = append(seqs, d.event(at.Add(time.Duration(i)*time.Minute)))
	}
	failed := &store.Attempt{N: 1, At: at, Took: 42 * time.Millisecond, Status: 503,
		AttemptAnswer: store.AttemptAnswer{Error: "answered 503", Body: []byte(answer), Header: http.Header{"Server": {answer}}}}
	row := func(seq int64, state store.DeliveryState) *store.Delivery {
		return &store.Delivery{Endpoint: e.ID, Seq: seq, Account: e.Account, Number: e.Number, State: state, Attempts: 1, Due: d.k.now.Add(time.Minute)}
	}
	d.s.Write(d.t, func(tx *store.Tx) error {
		for _, err := range []error{tx.LogAttempt(row(seqs[0], store.Finished), failed), tx.SaveDelivery(row(seqs[1], store.Retrying)),
			tx.LogAttempt(row(seqs[1], store.Retrying), failed), tx.Advance(e.Number, e.ID, seqs[0]),
			tx.LogTaken(e.Account, e.Number, e.ID, []store.Taken{{Seq: seqs[0], Status: 204, Failed: 1, At: d.k.now, Took: 7 * time.Millisecond}})} {
			if err != nil {
				return err
			}
		}
		return nil
	})
	return g, seqs
}

func (d *hookDesk) delivery(g endpoint.Group, seq int64) string {
	return "/console/deliveries/" + d.s.DB.DeliveryID(g.First().ID, seq)
}

func TestTheLogIsSearched(t *testing.T) {
	newHookDesk(t, func(d *hookDesk) {
		has(t, "an empty log", d.get(d.jar, "/console/deliveries"), "Nothing in this time")
		g, seqs := d.logged("busy")
		id := d.s.DB.PublicEndpoint(g.First().Group)
		for query, want := range map[string]int{"": 3, "?state=waiting": 1, "?state=retrying": 1, "?state=delivered": 1, "?state=expired": 0, "?endpoint=" + id: 3,
			"?since=2026-11-23T11:51": 2, "?since=&until=2026-11-23T11:51": 1, "?since=2026-11-23T11:59": 0} {
			body := d.get(d.jar, "/console/deliveries"+query)
			if got := strings.Count(body, `class="entry"`); got != want {
				t.Errorf("%s: %d rows, want %d\n%s", query, got, want, body)
			}
		}
		has(t, "the log", d.get(d.jar, "/console/deliveries"), "message.received", "shop.example", "34600111222", "1 attempt, the last answered 503", "2 attempts, the last answered 204",
			`href="`+d.delivery(g, seqs[1])+`"`, `value="2026-11-22T12:00"`)
		hasNot(t, "the log", d.get(d.jar, "/console/deliveries"), "s3cr3t")
		for query, want := range map[string]int{"?state=lost": 400, "?since=x": 400, "?endpoint=ep_x": 404, "?after=x": 400, "?message=" + d.s.DB.DeliveryID(g.First().ID, seqs[0]): 303} {
			if w := d.do(d.jar, http.MethodGet, "/console/deliveries"+query, ""); w.Code != want {
				t.Errorf("%s: %d, want %d", query, w.Code, want)
			}
		}
		d.k.now = d.k.now.Add(48 * time.Hour)
		d.jar = d.signIn(operator())
		if body := d.get(d.jar, "/console/deliveries"); strings.Contains(body, `class="entry"`) {
			t.Errorf("without a time, the log has what is older than a day:\n%s", body)
		}
	})
}

func TestTheLogGoesOn(t *testing.T) {
	newHookDesk(t, func(d *hookDesk) {
		g := d.add()
		var seqs []int64
		for range 60 {
			seqs = append(seqs, d.event(d.k.now))
		}
		first := d.get(d.jar, "/console/deliveries?state=waiting")
		next := regexp.MustCompile(`href="([^"]*after=[^"]*)"`).FindStringSubmatch(first)
		if next == nil {
			t.Fatalf("there is no next page:\n%s", first)
		}
		rest := d.get(d.jar, html.UnescapeString(next[1]))
		var got, want []string
		for _, entry := range regexp.MustCompile(`class="entry" href="([^"]*)"`).FindAllStringSubmatch(first+rest, -1) {
			got = append(got, entry[1])
		}
		for _, seq := range slices.Backward(seqs) {
			want = append(want, d.delivery(g, seq))
		}
		if n := strings.Count(first, `class="entry"`); n != 50 || !slices.Equal(got, want) {
			t.Errorf("the first page has %d; the pages are not those of the newest first:\n%s\nwant\n%s", n, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	})
}

// An event that cannot be read is in the log all the same, and its page says what is amiss.
func TestABrokenEventIsShown(t *testing.T) {
	newHookDesk(t, func(d *hookDesk) {
		g, seqs := d.logged("busy")
		if err := d.s.Exec(t, "UPDATE event SET body = $1 WHERE seq = $2", []byte("no event"), seqs[2]); err != nil {
			t.Fatal(err)
		}
		body := html.UnescapeString(d.get(d.jar, "/console/deliveries"))
		if strings.Count(body, `class="entry"`) != 3 {
			t.Errorf("the log has not all of them:\n%s", body)
		}
		has(t, "the log", body, "the event cannot be read from the store")
		has(t, "its page", html.UnescapeString(d.get(d.jar, d.delivery(g, seqs[2]))), "the event cannot be read from the store", "It cannot be made", "message.received")
		if err := d.s.Exec(t, "DELETE FROM event WHERE seq = $1", seqs[2]); err != nil { // the store is read across at the end
			t.Fatal(err)
		}
	})
}

// Every attempt has its request on one side and its answer on the other, and both are only text.
func TestADeliverySideBySide(t *testing.T) {
	newHookDesk(t, func(d *hookDesk) {
		g, seqs := d.logged("<b>busy</b>")
		w := d.do(d.jar, http.MethodGet, d.delivery(g, seqs[0]), "")
		hasNot(t, "a delivery", w.Body.String(), "<b>busy", "<b>Ana")
		page := html.UnescapeString(w.Body.String())
		has(t, "a delivery", page, "Attempt 2", "answered 204", "7 ms", "Attempt 1", "answered 503", "42 ms", "<b>busy</b>", `"text": "<b>Ana</b>"`, "webhook-id", "evt_", "Send it once more", "server")
		if strings.Count(page, `class="exchange"`) != 2 || strings.Index(page, "Attempt 2") > strings.Index(page, "Attempt 1") {
			t.Errorf("the attempts are not side by side, the newest first:\n%s", page)
		}
		has(t, "one that waits", d.get(d.jar, d.delivery(g, seqs[2])), "It has not been tried", "waiting")
		has(t, "one that is tried again", d.get(d.jar, d.delivery(g, seqs[1])), "Tried again", "12:01:00 UTC")
		d.change(g, func(c *kabar.EndpointConfig) { c.Redact = true })
		hidden := d.get(d.jar, d.delivery(g, seqs[0]))
		has(t, "one that is redacted", hidden, "is not shown", "answered 503")
		hasNot(t, "one that is redacted", hidden, "busy", "Ana")
	})
}

func TestAnswersAreOnlyText(t *testing.T) {
	newHookDesk(t, func(d *hookDesk) {
		hostile := strings.Join(uitest.Hostile()[:80], "\n")
		g, seqs := d.logged(hostile)
		body := strings.ToLower(d.do(d.jar, http.MethodGet, d.delivery(g, seqs[1]), "").Body.String())
		for _, bad := range []string{"<script>pwned", "<img src=x", "<svg onload", "<iframe", "</pre></dialog>"} {
			if strings.Contains(body, bad) {
				t.Errorf("%q is on the page", bad)
			}
		}
		big, seqs := d.logged(strings.Repeat("x", 2*maxShown))
		if body := d.get(d.jar, d.delivery(big, seqs[1])); len(body) > 3*maxShown {
			t.Errorf("an answer makes a page of %d bytes", len(body))
		}
	})
}

func TestADeliveryIsReplayed(t *testing.T) {
	newHookDesk(t, func(d *hookDesk) {
		g, seqs := d.logged("busy")
		path := d.delivery(g, seqs[0])
		w := d.post(d.jar, path+"/replay", nil)
		if w.Code != http.StatusSeeOther || w.Header().Get("Location") != path+"?told=replayed" {
			t.Fatalf("replay: %d %v\n%s", w.Code, w.Header(), w.Body)
		}
		has(t, "the page then", d.get(d.jar, path+"?told=replayed"), "The replay has begun")
		if w := d.post(d.jar, path+"/replay", nil); w.Header().Get("Location") != path+"?told=told" {
			t.Errorf("the same again leads to %s", w.Header().Get("Location"))
		}
		hasNot(t, "what the address says", d.get(d.jar, path+"?told=<b>x"), "<b>x")
		all, err := d.ep.Replays(t.Context(), g)
		if err != nil || len(all) != 1 || all[0].Since != seqs[0]-1 || all[0].Until != seqs[0] {
			t.Errorf("replays %v, %v", all, err)
		}
		who := operator()
		who.Account = d.s.B.Account
		other := d.signIn(who)
		read := d.signIn(auth.Who{Scopes: []string{auth.ScopeRead}})
		for _, c := range []struct {
			jar  []*http.Cookie
			want int
		}{{nil, 401}, {read, 403}, {other, 404}} {
			if w := d.post(c.jar, path+"/replay", url.Values{}); w.Code != c.want {
				t.Errorf("replay: %d, want %d", w.Code, c.want)
			}
		}
		hasNot(t, "the page of a reader", d.get(read, path), "Send it once more")
		if w := d.do(other, http.MethodGet, path, ""); w.Code != http.StatusNotFound {
			t.Errorf("another account reads it: %d", w.Code)
		}
		d.change(g, func(c *kabar.EndpointConfig) { c.Become(kabar.EndpointPaused, "", d.k.now) })
		has(t, "of a paused endpoint", d.get(d.jar, path), "Activate the endpoint")
		if w := d.post(d.jar, path+"/replay", nil); w.Code != http.StatusBadRequest {
			t.Errorf("of a paused endpoint: %d", w.Code)
		}
	})
}
