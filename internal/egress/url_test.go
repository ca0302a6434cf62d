package egress

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
)

func TestCheckURLRefuses(t *testing.T) {
	raws := []string{
		"", " ", "https", "https:", "https:/", "https://", "https:///x", "https://:443/", "//example.com/", "/x", "example.com", "example.com/x",
		"ftp://example.com/", "file:///etc/passwd", "gopher://example.com/", "data:text/plain,x", "ws://example.com/", "wss://example.com/",
		"javascript:alert(1)", "dict://example.com:11211/", "ldap://example.com/", "unix:///run/x.sock", "HTTP+UNIX://x/", "https:example.com",
		"https://user@example.com/", "https://user:pass@example.com/", "https://@example.com/", "https://:@example.com/",
		"https://example.com@127.0.0.1/", "https://127.0.0.1@10.0.0.1/",
		"https://127.0.0.1#@example.com/", "https://127.0.0.1?@example.com/", "https://example.com\\@127.0.0.1/", "https://example.com\\.evil.test/",
		"https:\\\\example.com\\", "https://exa mple.com/", " https://example.com/", "https://example.com/ ", "https://exam\tple.com/",
		"https://example.com/\r\nX: y", "https://example.com/\n", "https://example.com/\x00", "https://example.com/\x7f", "\thttps://example.com/",
		"https://2130706433/", "https://0x7f000001/", "https://0X7F000001/", "https://017700000001/", "https://127.1/", "https://127.0.1/",
		"https://0177.0.0.1/", "https://0x7f.0.0.1/", "https://0x7f.1/", "https://127.0.0.01/", "https://1.1.1.1./", "https://8.8.8/",
		"https://134744072/", "https://0x08080808/", "https://8.8.8.8.8/", "https://256.1.1.1/", "https://1.1.1.256/", "https://1.1.1.0x1/",
		"https://example.1/", "https://0x/", "https://a.0x7f/", "https://４.4.4.4/", "https://１２７.0.0.1/", "https://127。0。0。1/",
		"https://example。com/", "https://exämple.com/", "https://ⓔxample.com/", "https://example%2ecom/", "https://127%2e0%2e0%2e1/",
		"https://%31%32%37.0.0.1/", "https://example%00.com/", "https://ex%C3%A4mple.com/",
		"https://example..com/", "https://.example.com/", "https://example.com../", "https://-example.com/", "https://exa,mple.com/",
		"https://exa$mple.com/", "https://(example).com/", "https://*.example.com/", "https://" + strings.Repeat("a", 64) + ".com/",
		"https://" + strings.Repeat("abcdefg.", 32) + "com/", "https://example.com/" + strings.Repeat("a", 2100),
		"https://example.com:0/", "https://example.com:65536/", "https://example.com:99999999999/", "https://example.com:-1/",
		"https://example.com:x/", "https://example.com:4 43/", "https://example.com:443:443/", "https://example.com:0x1bb/",
		"https://example.com:22/", "https://example.com:25/", "https://example.com:1023/", "https://example.com:79/",
		"http://example.com/", "http://example.com:8080/", "http://example.com:443/",
		"https://localhost/", "https://localhost./", "https://LOCALHOST/", "https://a.localhost/", "https://a.b.LocalHost.:8443/", "http://localhost:9090/",
		"https://[::1]/", "https://[::1%25lo]/", "http://[fe80::1%25lo]/", "https://[fe80::1%25eth0]:443/", "https://[2606:4700::1%25eth0]/",
		"https://[::1/", "https://::1/", "https://[]/", "https://[example.com]/", "https://[::ffff:127.0.0.1]/", "https://[v1.x]/", "https://[1.2.3]/",
		"https://[::1]x/", "https://x[::1]/", "https://0/", "https://00/", "https://[0]/",
	}
	c := New(Policy{})
	for _, raw := range raws {
		err := c.CheckURL(raw)
		var refused *Refused
		if !errors.As(err, &refused) {
			t.Errorf("%q: %v, want Refused", raw, err)
			continue
		}
		if len(refused.Error()) < 20 || strings.ContainsAny(refused.Error(), "\r\n\t\x00") {
			t.Errorf("%q: error %q", raw, refused)
		}
	}
}

func TestCheckURLAccepts(t *testing.T) {
	for _, raw := range []string{
		"https://example.com", "https://example.com/", "https://EXAMPLE.com/Hook?x=1&y=%20#part", "HTTPS://example.com/", "https://example.com./",
		"https://example.com:443/", "https://example.com:80/", "https://example.com:8443/x", "https://example.com:1024", "https://example.com:65535",
		"https://example.com:/", "https://xn--exmple-cua.com/", "https://my_host.example.com/", "https://a/", "https://hooks-1.example.co.uk/@me:x",
		"https://1.example/", "https://3com.example/", "https://0x7f.example/", "https://localhost.example.com/", "https://mylocalhost/",
		"https://8.8.8.8/", "https://8.8.8.8:8443/", "https://[2606:4700:4700::1111]/", "https://[2606:4700:4700::1111]:8443/", "https://[::ffff:8.8.8.8]/",
		"https://example.com/\u00e4", "https://example.com/a%0d%0ab",
	} {
		if err := New(Policy{}).CheckURL(raw); err != nil {
			t.Errorf("%s: %v", raw, err)
		}
	}
}

func TestCheckURLWithAllowedNetworks(t *testing.T) {
	c := New(Policy{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("10.1.0.0/16")}})
	for _, raw := range []string{
		"http://127.0.0.1:9000/", "http://localhost:9000/hook", "http://localhost:22/", "https://10.1.2.3/", "http://10.1.2.3:81/", "http://app.internal/",
		"http://app.internal:81/", "http://[::ffff:127.0.0.1]:9000/", "https://example.com/",
	} {
		if err := c.CheckURL(raw); err != nil {
			t.Errorf("%s: %v", raw, err)
		}
	}
	for _, raw := range []string{
		"http://10.2.0.1/", "http://[::1]:9000/", "http://8.8.8.8/", "http://127.1/", "http://2130706433/", "http://127.0.0.1:0/",
		"ftp://127.0.0.1/", "http://user@127.0.0.1/", "https://192.168.0.1/", "https://8.8.8.8:22/",
	} {
		isRefused(t, raw, c.CheckURL(raw))
	}
}

// A refusal shows the host and nothing else of a URL.
func TestRefusedKeepsSecrets(t *testing.T) {
	c := New(Policy{})
	for _, raw := range []string{
		"https://127.0.0.1/SECRET?token=SECRET", "https://SECRET:SECRET@example.com/", "ftp://example.com/SECRET", "https://example.com:SECRET/",
		"https://example.com/SECRET\n", "https://example.com/%SECRET", "http://example.com/SECRET",
	} {
		if err := c.CheckURL(raw); err == nil || strings.Contains(err.Error(), "SECRET") {
			t.Errorf("%q: %v", raw, err)
		}
	}
	if got := c.CheckURL("https://10.0.0.1/x").Error(); got != "egress to 10.0.0.1 refused: address is not public; kabar serve --egress-allow opens its network" {
		t.Error(got)
	}
	if got := c.CheckURL("https:///x").Error(); got != "egress refused: no host" {
		t.Error(got)
	}
}
