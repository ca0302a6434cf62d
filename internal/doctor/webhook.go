package doctor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"

	"kabar"
	"kabar/internal/egress"
)

// Doer makes a request under the rules for what may be reached. It is an *egress.Client.
type Doer interface {
	Do(req *http.Request, maxBytes int64) (*http.Response, error)
}

// Endpoint is a webhook endpoint, and how it has been doing.
type Endpoint struct {
	Name    string // for people: the number it belongs to
	URL     string // empty: not set
	Pending int64  // events that wait; -1: not known
	Last    string // error of the last attempt; empty when it succeeded, or there was none
	ID      string // public
	State   kabar.EndpointState
	Reason  string // why it was suspended
}

func overHTTP(address string) bool {
	u, err := url.Parse(address)
	return err != nil || u.Scheme == "https" || u.Scheme == "http"
}

func waits(n int64) string {
	if n < 0 {
		return "how many events wait is not known"
	}
	return fmt.Sprintf("%d events wait", n)
}

// maxAnswer is how much of an answer is read, in bytes.
const maxAnswer = 4 << 10

// Webhook asks an endpoint with HEAD, by the same way as webhooks go: rules, name, connection, TLS. Any answer will do, since
// few applications know HEAD; no event is sent.
func Webhook(e Endpoint, out Doer) Check {
	return Check{"webhook " + e.Name, func(ctx context.Context) Result {
		switch {
		case e.URL == "" && e.Pending > 0:
			return Result{Warn, fmt.Sprintf("no URL, and %d events wait", e.Pending),
				`set one: PATCH /v1/settings/application {"webhooks":{"url":"https://…"}}`}
		case e.URL == "":
			return Skipped("no URL is set")
		case e.State == kabar.EndpointSuspended:
			return Result{Fail, fmt.Sprintf("suspended: %s; %s", e.Reason, waits(e.Pending)),
				fmt.Sprintf(`mend the application, then: PATCH /kabar/v1/endpoints/%s {"state":"active"}`, e.ID)}
		case e.State == kabar.EndpointPaused || e.State == kabar.EndpointDisabled:
			return Skipped("it is %s", e.State)
		case !overHTTP(e.URL):
			if e.Last != "" {
				return Result{Warn, fmt.Sprintf("its last answer was: %s; %s", e.Last, waits(e.Pending)), "look at what is behind " + host(e.URL)}
			}
			return Skipped("it is no HTTP; %s", waits(e.Pending))
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodHead, e.URL, http.NoBody)
		if err != nil {
			return Result{Fail, "its URL is none", `set another: PATCH /v1/settings/application {"webhooks":{"url":"https://…"}}`}
		}
		res, err := out.Do(req, maxAnswer)
		if err != nil && !errors.Is(err, egress.ErrTooLarge) {
			return unanswered(e, err)
		}
		if err == nil {
			_, _ = io.CopyN(io.Discard, res.Body, maxAnswer)
			_ = res.Body.Close() // nothing of it is wanted
		}
		if e.Last != "" && e.Pending > 0 {
			return Result{Warn, fmt.Sprintf("%s can be reached, and its last answer to an event was: %s; %d wait", host(e.URL), e.Last, e.Pending),
				"look at the application's log: it must answer 200 within 5 s"}
		}
		return Fine("%s can be reached%s", host(e.URL), e.waiting())
	}}
}

// waiting ends a sentence with how many events wait, if that is known.
func (e Endpoint) waiting() string {
	if e.Pending < 0 {
		return ""
	}
	return fmt.Sprintf("; %d events wait", e.Pending)
}

func unanswered(e Endpoint, err error) Result {
	detail := fmt.Sprintf("%s: %v%s", host(e.URL), plainly(err), e.waiting())
	var refused *egress.Refused
	var dns *net.DNSError
	switch u, parse := url.Parse(e.URL); {
	case errors.As(err, &refused):
		return Result{Fail, detail, "if this network may be reached: --egress-allow with its CIDR, in the server's configuration"}
	case errors.As(err, &dns):
		return Result{Fail, detail, "getent hosts " + quote(dns.Name) + "; is the name in the URL right?"}
	case parse == nil:
		return Result{Fail, detail, "curl -sSI " + quote(u.Scheme+"://"+u.Host+"/") + "; is the application running?"}
	}
	return Result{Fail, detail, "look at the URL in the number's settings"}
}
