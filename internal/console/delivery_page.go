package console

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"kabar"
	"kabar/internal/auth"
	"kabar/internal/deliveries"
)

// exchange is a request beside its answer.
type exchange struct {
	Title, At string
	Took      int64 // milliseconds
	Host      string
	Headers   []fact // of the request, those that tell it from others
	Request   string // empty: it is not shown
	Status    int    // 0: there was no answer
	Fault     string // empty: it was taken
	Answered  []fact // headers of the answer
	Body      string // of the answer, bounded
	Batch     int    // events in the request, if there were others
	Open      bool
}

// Outcome says in a few words what came of it.
func (x exchange) Outcome() string { return outcome(x.Status, x.Fault) }

// State is how that is.
func (x exchange) State() State {
	if x.Fault != "" {
		return Bad
	}
	return Good
}

func outcome(code int, fault string) string {
	switch {
	case fault != "":
		return fault
	case code != 0:
		return "answered " + strconv.Itoa(code)
	}
	return "taken"
}

func outcomeOf(a *deliveries.Attempt) string { return outcome(a.Status, a.Error) }

// deliveryView is the page of a delivery.
type deliveryView struct {
	frame
	deliveryRow
	ID, EventID  string
	EndpointHref string
	Next         string // when it is tried again
	Redacted     bool   // what is sent and answered is not shown
	Request      string
	Attempts     []exchange // the newest first
	Told         string
	MayReplay    bool
	Inactive     bool // the endpoint is told of nothing, so nothing can be replayed
}

// delivery reads the one that the path names.
func (c *Console) delivery(r *http.Request) (*deliveryView, error) {
	at, g, err := c.place(r)
	if err != nil {
		return nil, err
	}
	d, err := c.hooks.Deliveries.Get(r.Context(), c.ofSession(r), r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	who, e := auth.From(r), at.Endpoint
	v := &deliveryView{ID: d.ID, EventID: d.EventID, EndpointHref: c.endpointPath(g), Redacted: e.Redact, Request: pretty(d.Request), Told: told(r),
		deliveryRow: deliveryRowOf(&d.Delivery, map[string]string{d.Endpoint: hostOf(e.URL)})}
	v.frame = c.frameOf(r.Context(), who, "/console/deliveries", d.Type+" · Kabar", "")
	if !d.Next.IsZero() {
		v.Next = exact(d.Next)
	}
	v.MayReplay = mayChange(who, g) && d.State != deliveries.Expired && e.Active()
	v.Inactive = mayChange(who, g) && d.State != deliveries.Expired && !e.Active()
	for i := len(d.Attempts) - 1; i >= 0; i-- {
		v.Attempts = append(v.Attempts, exchangeOf(v, &d.Attempts[i], e, i == len(d.Attempts)-1))
	}
	return v, nil
}

func exchangeOf(v *deliveryView, a *deliveries.Attempt, e *kabar.Endpoint, open bool) exchange {
	x := exchange{Title: "Attempt " + strconv.Itoa(a.N), At: exact(a.At), Took: a.TookMS, Host: v.Host, Request: v.Request, Status: a.Status, Fault: a.Error, Batch: a.Batch, Open: open}
	if v.EventID != "" && a.Batch < 2 && e.Dialect == kabar.Kabar { // other dialects and batches have ids of their own
		x.Headers = []fact{{"webhook-id", v.EventID}}
	}
	if a.Answer != nil && !e.Redact {
		x.Body, x.Answered = bounded(a.Answer.Body), answeredHeaders(a.Answer.Header)
	}
	return x
}

// Bounds of what others wrote, as pages show it.
const (
	maxShown       = 16 << 10 // bytes of a body
	maxShownHeader = 300      // bytes of a header
	maxShownCount  = 20       // headers
)

func answeredHeaders(all map[string][]string) []fact {
	var out []fact
	for name, values := range all {
		out = append(out, fact{cut(strings.ToLower(name), maxShownHeader), cut(strings.Join(values, ", "), maxShownHeader)})
	}
	slices.SortFunc(out, func(a, b fact) int { return cmp.Compare(a.Name, b.Name) })
	return out[:min(len(out), maxShownCount)]
}

// cut shortens a text to so many bytes of whole characters.
func cut(s string, most int) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if len(s) <= most {
		return s
	}
	for !utf8.RuneStart(s[most]) {
		most--
	}
	return s[:most] + "…"
}

func bounded(body string) string {
	if len(body) <= maxShown {
		return strings.ToValidUTF8(body, "\uFFFD")
	}
	return cut(body, maxShown) + fmt.Sprintf("\n(%d bytes in all)", len(body))
}

// pretty writes JSON with a line for each member, so that it can be read; the bytes that are sent have none.
func pretty(body string) string {
	var out bytes.Buffer
	if json.Indent(&out, []byte(body), "", "  ") != nil {
		return bounded(body)
	}
	return bounded(out.String())
}

func (c *Console) deliveryPage(w http.ResponseWriter, r *http.Request) {
	v, err := c.delivery(r)
	c.page(w, r, "delivery", v, err)
}
