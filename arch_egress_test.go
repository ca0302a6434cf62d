package kabar_test

import (
	"go/ast"
	"slices"
	"strings"
	"testing"
)

// dialers are the files that make connections by themselves, each with what keeps it from going where somebody else says. Everybody
// else goes out through internal/egress, which judges every address.
var dialers = map[string]string{
	"internal/egress/dial.go":         "the one way out",
	"internal/certs/authority.go":     "to the ACME authority that the operator chose",
	"internal/control/socket.go":      "to the socket in the program's own folder",
	"internal/doctor/cert.go":         "to the server's own address",
	"internal/doctor/relay.go":        "to the relay that the operator chose",
	"internal/relayclient/conn.go":    "to the relay that the operator chose",
	"internal/relayclient/options.go": "to the relay that the operator chose",
	"internal/store/postgres.go":      "to the database that the operator chose",
	"cmd/kabar/doctor.go":             "to the relay that the operator chose",
	"cmd/kabar/api_flags.go":          "to the server whose API the person at the command named",
	"cmd/kabar/notify.go":             "to the socket of systemd",
	"cmd/kabar/relay_trust.go":        "to the relay that the operator chose",
}

// connecting are the names with which a connection can be made, by import path.
var connecting = map[string]string{
	"net":                        "Dial DialTimeout DialTCP DialUDP DialIP DialUnix Dialer",
	"crypto/tls":                 "Dial DialWithDialer Dialer",
	"net/http":                   "Client Transport DefaultClient DefaultTransport Get Head Post PostForm",
	"net/rpc":                    "Dial DialHTTP DialHTTPPath",
	"net/smtp":                   "Dial SendMail",
	"net/http/httputil":          "ReverseProxy NewSingleHostReverseProxy",
	"github.com/coder/websocket": "Dial",
}

// TestOneWayOut: who makes a connection says why it may, in dialers. The programs that measure and torment the product may all.
func TestOneWayOut(t *testing.T) {
	found := map[string][]string{}
	for id, p := range module(t) {
		if matches(id, "bench torture/... ui/uitest storetest/...") {
			continue
		}
		for name, file := range p.files {
			if by := connects(file); len(by) > 0 {
				found[name] = by
			}
		}
	}
	for name, by := range found {
		if dialers[name] == "" {
			t.Errorf("%s uses %s: a URL that somebody gave us is reached through internal/egress; whoever goes elsewhere says where, in dialers", name, strings.Join(by, ", "))
		}
	}
	for name := range dialers {
		if found[name] == nil {
			t.Errorf("%s makes no connection any more: so its row in dialers is gone, too", name)
		}
	}
}

// connects returns what a file makes connections with. A type that is only spoken of makes none: a parameter, a field, a pointer.
func connects(file *ast.File) (by []string) {
	names := map[string]string{} // of packages in this file, to what connects in them
	for _, i := range file.Imports {
		imported := strings.Trim(i.Path.Value, `"`)
		if connecting[imported] == "" {
			continue
		}
		name := imported[strings.LastIndexByte(imported, '/')+1:]
		if i.Name != nil {
			name = i.Name.Name
		}
		names[name] = connecting[imported]
	}
	spoken := map[ast.Expr]bool{}
	for n := range ast.Preorder(file) {
		switch n := n.(type) {
		case *ast.StarExpr:
			spoken[n.X] = true
		case *ast.SelectorExpr:
			x, ok := n.X.(*ast.Ident)
			if ok && !spoken[n] && slices.Contains(strings.Fields(names[x.Name]), n.Sel.Name) {
				by = append(by, x.Name+"."+n.Sel.Name)
			}
		}
	}
	return by
}
