package natssink

import (
	"cmp"
	"errors"
	"net"
	"net/url"
	"strings"
)

const (
	defaultPort   = "4222"
	defaultPrefix = "kabar"
	maxSubject    = 255 // bytes; servers take more, but not all of them, and consumers are served better by less
)

// address is what a URL says.
type address struct {
	scheme, host          string // host with its port
	user, password, token string
	prefix                string
}

// Check says what is wrong with a URL of [Options], without connecting. The error does not repeat the URL, which may hold a password.
func Check(raw string) error {
	_, err := parse(raw)
	return err
}

func parse(raw string) (address, error) {
	u, err := url.Parse(raw)
	switch {
	case err != nil:
		return address{}, errors.New("nats: not a URL")
	case u.Scheme != "nats" && u.Scheme != "tls":
		return address{}, errors.New("nats: the URL begins with nats:// or tls://")
	case u.Hostname() == "" || strings.ContainsAny(u.Host, ", "):
		return address{}, errors.New("nats: the URL names no host, or several")
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return address{}, errors.New("nats: the URL has a query or a fragment, which mean nothing here")
	}
	port := cmp.Or(u.Port(), defaultPort)
	prefix := cmp.Or(strings.TrimPrefix(u.Path, "/"), defaultPrefix)
	if !isSubject(prefix) {
		return address{}, errors.New("nats: the path is no prefix of subjects: letters, digits, - and _ in words joined by full stops")
	}
	a := address{scheme: u.Scheme, host: net.JoinHostPort(u.Hostname(), port), prefix: prefix}
	if password, both := u.User.Password(); both {
		a.user, a.password = u.User.Username(), password
	} else {
		a.token = u.User.Username()
	}
	return a, nil
}

// isSubject says whether a text is a subject of plain words. NATS has more, of which some mean something: *, > and what begins with $.
func isSubject(text string) bool {
	for word := range strings.SplitSeq(text, ".") {
		if word == "" || strings.ContainsFunc(word, isOdd) {
			return false
		}
	}
	return len(text) <= maxSubject
}

func isOdd(r rune) bool {
	switch {
	case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9', r == '-', r == '_':
		return false
	}
	return true
}
