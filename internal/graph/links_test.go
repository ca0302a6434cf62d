package graph

import (
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// A link is followed for as long as it holds, and as it was made: whatever it says cannot be changed.
func TestLinksAreSigned(t *testing.T) {
	e := newEnv(t)
	request := func(target string) *exchange { return &exchange{r: httptest.NewRequest("GET", target, nil)} }
	says := func() url.Values { return url.Values{"nid": {"1"}, "mid": {"2"}} }
	x := request("http://kabar.test/")
	lasting := e.api.link(x, photoLink, says())
	brief := e.api.briefLink(x, flowLink, says(), e.now().Add(linkLife))
	follow := func(name, link, kind string, want bool) {
		t.Helper()
		if q, ok := e.api.followed(request(link), kind, "nid", "mid"); ok != want || ok && (q.Get("nid") != "1" || q.Get("mid") != "2") {
			t.Errorf("%s: %v, %v", name, q, ok)
		}
	}
	follow("lasting", lasting, photoLink, true)
	follow("brief", brief, flowLink, true)
	follow("with what a client has added", brief+"&access_token=x", flowLink, true)
	follow("of another kind", lasting, qrLink, false)
	follow("that is to end", lasting+"&ext=9999999999", photoLink, false)
	follow("without its hash", strings.Replace(lasting, "hash", "hush", 1), photoLink, false)
	for _, name := range []string{"ext", "mid", "nid", "hash"} {
		link, err := url.Parse(brief)
		must(t, err)
		q := link.Query()
		q.Set(name, q.Get(name)+"0")
		link.RawQuery = q.Encode()
		follow("another "+name, link.String(), flowLink, false)
		q.Del(name)
		link.RawQuery = q.Encode()
		follow("without "+name, link.String(), flowLink, false)
	}
	e.advance(linkLife)
	follow("lasting, later", lasting, photoLink, true)
	follow("brief, later", brief, flowLink, false)
}
