package console

import (
	"net/http"
	"net/url"
	"strings"

	"kabar"
	"kabar/internal/auth"
	"kabar/internal/endpoint"
	"kabar/internal/signature"
)

// newSecretOf is a secret that has to be shown, once.
type newSecretOf struct {
	endpoint kabar.EndpointID
	secret   string
	made     bool // together with the endpoint
}

// secretView is the page that shows it.
type secretView struct {
	frame
	Href, Host string
	Secret     string // empty: it has been shown
	Public     string // what the application needs of a key pair
	Made       bool
}

func isPair(secret string) bool { return strings.HasPrefix(secret, "whsk_") }

// showOnce leads to the page that shows a secret. The answer to a form would do so again when it is reloaded, and make another one.
func (c *Console) showOnce(w http.ResponseWriter, g endpoint.Group, secret string, made bool) {
	code := c.fresh.add(c.now(), newSecretOf{g.First().Group, secret, made})
	lead(w, c.endpointPlace(g)+"/secret?"+url.Values{"code": {code}}.Encode())
}

// secretPage shows a new secret. Whoever comes again finds that it was shown.
func (c *Console) secretPage(w http.ResponseWriter, r *http.Request) {
	g, err := c.toChange(r)
	if err != nil {
		c.refuse(w, r, err)
		return
	}
	v := &secretView{frame: c.frameOf(r.Context(), auth.From(r), "/console/endpoints", "Secret · Kabar", ""), Href: c.endpointPath(g), Host: hostOf(g.First().URL)}
	if r.Method != http.MethodGet { // a HEAD must not use the code up
		c.write(w, http.StatusOK, "secret", v)
		return
	}
	if of, ok := c.fresh.use(r.URL.Query().Get("code"), c.now()); ok && of.endpoint == g.First().Group {
		v.Secret, v.Made = of.secret, of.made
		if isPair(v.Secret) {
			v.Public, err = signature.Public(v.Secret)
		}
	}
	c.page(w, r, "secret", v, err)
}

// replaceSecret gives an endpoint another secret. The old one signs beside it for as long as the form says.
func (c *Console) replaceSecret(w http.ResponseWriter, r *http.Request) {
	g, ok := c.posted(w, r)
	if !ok {
		return
	}
	overlap, err := hoursOf(r.PostForm.Get("overlap_hours"))
	if err != nil {
		c.refuseAt(w, r, g, err)
		return
	}
	kind := endpoint.Shared
	if r.PostForm.Get("kind") == "pair" {
		kind = endpoint.Pair
	}
	_, secret, err := c.hooks.Endpoints.Rotate(r.Context(), g.First().Group, endpoint.NewSecret{Kind: kind, Overlap: overlap})
	if err != nil {
		c.refuseAt(w, r, g, err)
		return
	}
	c.showOnce(w, g, secret, false)
}
