package egress

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"kabar/internal/patience"
)

// recorder writes down every address that a packet would have gone to, and lets none leave.
type recorder struct {
	mu   sync.Mutex
	seen []netip.AddrPort
}

var errRecorded = errors.New("recorded, and not sent")

func (r *recorder) leave(address string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seen = append(r.seen, netip.MustParseAddrPort(address))
	return errRecorded
}

func (r *recorder) take() []netip.AddrPort {
	r.mu.Lock()
	defer r.mu.Unlock()
	seen := r.seen
	r.seen = nil
	return seen
}

// attempt makes a request each way in which this package can be asked, and returns the errors. A URL of which no request can be
// made is refused as one.
func attempt(c *Client, url string) []error {
	ctx, cancel := context.WithTimeout(context.Background(), patience.Limit)
	defer cancel()
	var all []error
	for _, do := range []func(*http.Request, int64) (*http.Response, error){c.Do, c.Fetch} {
		for _, credentials := range []string{"", "Bearer x"} {
			req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
			if err != nil {
				all = append(all, &Refused{Reason: err.Error()})
				continue
			}
			if credentials != "" {
				req.Header.Set("Authorization", credentials)
			}
			res, err := do(req, 1<<20)
			if err == nil {
				_ = res.Body.Close()
			}
			all = append(all, err)
		}
	}
	return all
}

// A name whose owner answers with a public address as long as somebody looks, and with a forbidden one when the connection is made,
// leads nowhere: whichever look-up is the first with the other answer, that answer is judged before a packet leaves for it.
func TestNoWayInByRebinding(t *testing.T) {
	public, inside := netip.MustParseAddr("1.1.1.1"), netip.MustParseAddr("127.0.0.1")
	for looks := range 6 { // so many with the public address
		rec := &recorder{}
		asked := 0
		var mu sync.Mutex
		c := New(Policy{Resolver: fakeResolver(func(string) []netip.Addr {
			mu.Lock()
			defer mu.Unlock()
			if asked++; asked > looks {
				return []netip.Addr{inside}
			}
			return []netip.Addr{public}
		})})
		c.leave = rec.leave
		refused := 0
		for range looks + 1 {
			for _, url := range []string{"https://rebind.test/x", "http://rebind.test/x"} {
				if err := c.CheckURL("https://rebind.test/x"); err != nil {
					t.Fatal(err)
				}
				for _, err := range attempt(c, url) {
					if _, ok := errors.AsType[*Refused](err); ok && strings.Contains(err.Error(), inside.String()) {
						refused++
					}
				}
			}
		}
		for _, to := range rec.take() {
			if to.Addr().Unmap() != public {
				t.Errorf("after %d looks a packet would have left for %v", looks, to)
			}
		}
		if refused == 0 {
			t.Errorf("after %d looks the forbidden address was never met, in %d looks: the test tests nothing", looks, asked)
		}
	}
}

// A network that the operator allows is reached in each of these ways, and its neighbours are not.
func TestWaysIntoAnAllowedNetwork(t *testing.T) {
	rec := &recorder{}
	answer := []netip.Addr{netip.MustParseAddr("10.1.2.3"), netip.MustParseAddr("10.2.2.3")}
	c := New(Policy{Allow: []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16")}, Resolver: fakeResolver(func(string) []netip.Addr { return answer })})
	c.leave = rec.leave
	for _, url := range []string{"http://10.1.2.3:81/", "https://10.1.2.3/", "http://name.test/", "https://[::ffff:10.1.2.3]/"} {
		attempt(c, url)
		seen := rec.take()
		if len(seen) == 0 || slices.ContainsFunc(seen, func(a netip.AddrPort) bool { return a.Addr().Unmap() != answer[0] }) {
			t.Errorf("%s: packets for %v", url, seen)
		}
	}
}

// Plain http reaches public addresses for what is fetched without credentials, and for nothing else.
func TestPlainHTTP(t *testing.T) {
	rec := &recorder{}
	c := New(Policy{Resolver: fakeResolver(func(string) []netip.Addr { return []netip.Addr{netip.MustParseAddr("1.1.1.1")} })})
	c.leave = rec.leave
	for _, url := range []string{"http://1.1.1.1/", "http://name.test/"} {
		errs := attempt(c, url) // Do, Do with credentials, Fetch, Fetch with credentials
		for i, err := range errs {
			if recorded := errors.Is(err, errRecorded); recorded != (i == 2) {
				t.Errorf("%s, attempt %d: %v", url, i, err)
			}
		}
		if n := len(rec.take()); n != 1 {
			t.Errorf("%s: %d packets, want one", url, n)
		}
	}
	for _, url := range []string{"http://1.1.1.1:25/", "http://name.test:22/"} {
		attempt(c, url)
		if seen := rec.take(); len(seen) > 0 {
			t.Errorf("%s: packets for %v", url, seen)
		}
	}
}

// A request ends by itself, whatever its context allows.
func TestRequestsEnd(t *testing.T) {
	var deadline time.Time
	c := New(Policy{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
		deadline, _ = r.Context().Deadline()
		return &http.Response{StatusCode: 200, Body: http.NoBody}, nil
	})})
	req, _ := http.NewRequestWithContext(context.Background(), http.MethodGet, "https://example.com/", http.NoBody)
	res, err := c.Do(req, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if left := time.Until(deadline); left <= 0 || left > longest {
		t.Errorf("a request without a deadline gets one in %v", left)
	}
}
