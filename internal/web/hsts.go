package web

import (
	"net/http"
	"net/netip"
	"strings"
)

// hstsValue asks for one year, for this host alone: what else runs under the domain is not ours to promise for.
const hstsValue = "max-age=31536000"

// HSTS has browsers use TLS only for this host from now on (RFC 6797), where that cannot lock anybody out: the request came
// over TLS, trusted says that the certificate is one browsers accept, and the host is a name other than localhost. On plain
// HTTP, behind a proxy too, nothing is said: the header is the proxy's to send. trusted is asked at each request.
func HSTS(trusted func() bool, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.TLS != nil && isDomain(hostOnly(r.Host)) && trusted() {
			w.Header().Set("Strict-Transport-Security", hstsValue)
		}
		next.ServeHTTP(w, r)
	})
}

// isDomain says whether a host, as hostOnly returns it, is a name that may lead to another machine.
func isDomain(host string) bool {
	_, err := netip.ParseAddr(host)
	return err != nil && host != "" && host != "localhost" && !strings.HasSuffix(host, ".localhost")
}
