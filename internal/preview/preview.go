// Package preview finds out what a link is about: the title, the description and the picture that its page gives for such a
// purpose (Open Graph), or else its own title.
//
// It reads a page and a picture through a fetcher that decides where a request may lead (internal/egress), within 3 seconds
// for both together, and keeps what it has found, or that there was nothing, for ten minutes: a campaign asks a site once,
// not once a customer. Pages are parsed up to their body and never run; a picture is decoded only when its header promises
// little, and what travels on is a small JPEG of our own making. Whatever fails means no preview.
//
// A Finder is safe for concurrent use.
package preview

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"kabar"
)

// Limits of a look at a link.
const (
	patience  = 3 * time.Second // for the page and its picture together
	maxPage   = 512 << 10       // bytes that are read of a page
	maxImage  = 2 << 20         // bytes of a picture
	keepFor   = 10 * time.Minute
	keptLinks = 500
)

// Fetcher fetches a URL that somebody gave us. It is an *egress.Client.
type Fetcher interface {
	Fetch(req *http.Request, maxBytes int64) (*http.Response, error)
}

// Finder finds previews.
type Finder struct {
	fetcher Fetcher
	agent   string
	flights singleflight.Group // by link: one look at a time
	decode  sync.Mutex         // held while a picture is decoded

	mu   sync.Mutex
	kept map[string]kept
}

// kept is what a look has found; nil for nothing.
type kept struct {
	preview *kabar.Preview
	until   time.Time
}

// New returns a finder. The agent is what it calls itself in requests.
func New(f Fetcher, agent string) *Finder {
	return &Finder{fetcher: f, agent: agent, kept: map[string]kept{}}
}

// Find returns the preview of a link; nil when there is none, or not within 3 seconds.
func (f *Finder) Find(ctx context.Context, link string) *kabar.Preview {
	if p, ok := f.recall(link); ok {
		return p
	}
	found := f.flights.DoChan(link, func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience) // others may wait for it, too
		defer cancel()
		p := f.look(ctx, link)
		f.remember(link, p)
		return p, nil
	})
	select {
	case r := <-found:
		return r.Val.(*kabar.Preview)
	case <-ctx.Done():
		return nil
	}
}

func (f *Finder) recall(link string) (*kabar.Preview, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	k, ok := f.kept[link]
	return k.preview, ok && time.Now().Before(k.until)
}

func (f *Finder) remember(link string, p *kabar.Preview) {
	now := time.Now()
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.kept) >= keptLinks {
		for old, k := range f.kept {
			if len(f.kept) >= keptLinks || now.After(k.until) {
				delete(f.kept, old)
			}
		}
	}
	f.kept[link] = kept{p, now.Add(keepFor)}
}

// look fetches and reads a page and its picture.
func (f *Finder) look(ctx context.Context, link string) *kabar.Preview {
	body, err := f.get(ctx, link, maxPage, "text/html", "application/xhtml+xml")
	if err != nil {
		return nil
	}
	p := read(body)
	preview := &kabar.Preview{URL: link, Title: p.title, Description: p.description}
	if image := resolve(link, p.image); image != "" {
		if b, err := f.get(ctx, image, maxImage, "image/jpeg", "image/png"); err == nil {
			f.decode.Lock()
			preview.Image = thumbnail(b)
			f.decode.Unlock()
		}
	}
	return preview.Bounded()
}

// get returns the first bytes of what a URL leads to, if it is of one of the types.
func (f *Finder) get(ctx context.Context, link string, most int64, types ...string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, link, http.NoBody)
	if err != nil {
		return nil, err
	}
	req.Header.Set("User-Agent", f.agent)
	req.Header.Set("Accept", strings.Join(types, ", "))
	res, err := f.fetcher.Fetch(req, 8<<20) // a long page is read in part
	if err != nil {
		return nil, err
	}
	defer func() { _ = res.Body.Close() }() // what is wanted has been read
	if res.StatusCode != http.StatusOK {
		return nil, errors.New("the link answered " + res.Status)
	}
	found, _, err := mime.ParseMediaType(res.Header.Get("Content-Type"))
	if err != nil {
		return nil, err
	}
	if !slices.Contains(types, found) {
		return nil, fmt.Errorf("the link leads to %q", found)
	}
	return io.ReadAll(io.LimitReader(res.Body, most))
}

// resolve returns the address of a picture that a page names; "" for none that could be fetched.
func resolve(page, image string) string {
	if image == "" {
		return ""
	}
	base, err := url.Parse(page)
	if err != nil {
		return ""
	}
	u, err := base.Parse(image)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return ""
	}
	return u.String()
}
