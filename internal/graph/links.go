package graph

import (
	"crypto/hmac"
	"encoding/hex"
	"net/url"
	"strconv"
	"time"

	"kabar"
)

// Links lead to files and need no token: some clients send none to a host that they do not know. What a link says is signed instead.
const (
	linkRoot   = "/whatsapp_business/"
	mediumLink = "attachments"
	photoLink  = "photos"
	qrLink     = "qr_codes"
	flowLink   = "flow_assets"

	linkLife = 5 * time.Minute // of one to what is private
)

// link leads to the file of a kind that the values name, for as long as there is that file.
func (a *API) link(x *exchange, kind string, says url.Values) string {
	says.Set("hash", a.linkHash(kind, says))
	return x.origin() + linkRoot + kind + "?" + says.Encode()
}

// briefLink is a link that ends.
func (a *API) briefLink(x *exchange, kind string, says url.Values, ends time.Time) string {
	says.Set("ext", strconv.FormatInt(ends.Unix(), 10))
	return a.link(x, kind, says)
}

// followed returns what the link of a request says under some names; false when it is none of ours, or has ended. Whatever else
// stands in it has no meaning.
func (a *API) followed(x *exchange, kind string, names ...string) (says url.Values, ok bool) {
	q := x.r.URL.Query()
	says = url.Values{}
	for _, name := range append(names, "ext") {
		if q.Has(name) {
			says.Set(name, q.Get(name))
		}
	}
	if !hmac.Equal([]byte(q.Get("hash")), []byte(a.linkHash(kind, says))) {
		return nil, false
	}
	if says.Has("ext") {
		ends, err := strconv.ParseInt(says.Get("ext"), 10, 64)
		return says, err == nil && a.now().Unix() < ends
	}
	return says, true
}

func (a *API) linkHash(kind string, says url.Values) string {
	return hex.EncodeToString(a.mac("link\x00" + kind + "\x00" + says.Encode())[:20])
}

// gone refuses a link to what has to be asked for again.
func gone(what string) error {
	return kabar.Refuse(kabar.ReasonGone, "", "this link is not valid, or no longer: ask for %s again", what)
}
