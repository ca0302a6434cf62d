package natssink_test

import (
	"strings"
	"testing"

	"kabar/internal/natssink"
)

func TestCheck(t *testing.T) {
	for url, want := range map[string]string{
		"nats://nats.example":                        "",
		"tls://nats.example:4443/kabar.events":       "",
		"nats://user:geheim@[::1]:4222/":             "",
		"nats://geheim@10.0.0.7":                     "",
		"nats://user:a%2Cb%40c@nats.example/K-1_x.y": "",
		"":                                                "begins with nats:// or tls://",
		"nats.example:4222":                               "begins with",
		"https://nats.example":                            "begins with",
		"ws://nats.example":                               "begins with",
		"nats://":                                         "no host",
		"nats://user:geheim@":                             "no host",
		"nats://user:geheim@a,nats://b":                   "or several",
		"nats://a.example,b.example":                      "or several",
		"nats://user:geheim@nats.example:port":            "not a URL",
		"nats://nats.example?tls=1":                       "a query",
		"nats://nats.example/kabar#x":                     "a query",
		"nats://nats.example/kabar/events":                "no prefix",
		"nats://nats.example/kabar.>":                     "no prefix",
		"nats://nats.example/kabar.*":                     "no prefix",
		"nats://nats.example/.kabar":                      "no prefix",
		"nats://nats.example/$JS.API":                     "no prefix",
		"nats://nats.example/ka%20bar":                    "no prefix",
		"nats://nats.example/" + strings.Repeat("a", 256): "no prefix",
	} {
		if err := natssink.Check(url); want != "" {
			fails(t, err, want)
		} else if err != nil {
			t.Errorf("%s: %v", url, err)
		}
	}
}

func FuzzCheck(f *testing.F) {
	for _, seed := range []string{"nats://user:secretive@nats.example:4222/kabar", "tls://[::1]/a.b", "nats://a,b", "nats://\x00", "nats://x/%2e%2e"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, url string) {
		err := natssink.Check(url)
		if err != nil && strings.Contains(err.Error(), "secretive") {
			t.Errorf("the error repeats a password: %v", err)
		}
		if scheme, _, _ := strings.Cut(strings.ToLower(url), "://"); err == nil && scheme != "nats" && scheme != "tls" {
			t.Errorf("%q is admitted", url)
		}
	})
}
