package certs

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kabar/internal/patience"
)

func TestProblemsAreToldAndLoggedOnceADay(t *testing.T) {
	a := newAuthority(t)
	at := time.Now().Add(time.Minute) // the clock of a bench
	for _, test := range []struct {
		name        string
		from, until time.Time
		hosts       []string
		want        []string
	}{
		{"all is well", at.Add(-day), at.Add(90 * day), []string{"x.example"}, nil},
		{"expired", at.Add(-90 * day), at.Add(-time.Minute), []string{"x.example"}, []string{"it expired at "}},
		{"not yet", at.Add(3 * day), at.Add(90 * day), []string{"x.example"}, []string{"clock"}},
		{"soon", at.Add(-80 * day), at.Add(10 * day), []string{"x.example"}, []string{"it expires at "}},
		{"a short one that is fresh", at.Add(-day), at.Add(5 * day), []string{"x.example"}, nil},
		{"a short one at its end", at.Add(-5 * day), at.Add(day), []string{"x.example"}, []string{"it expires at "}},
		{"another name", at.Add(-day), at.Add(90 * day), []string{"x.example", "y.example", "192.0.2.1"}, []string{"it is not for y.example", "it is not for 192.0.2.1"}},
	} {
		p, dir := issue(t, a, test.from, test.until, "x.example"), t.TempDir()
		write(t, filepath.Join(dir, "c"), p.cert)
		write(t, filepath.Join(dir, "k"), p.key)
		b := openBench(t, filepath.Join(dir, "c"), filepath.Join(dir, "k"), test.hosts...)
		for range 3 {
			if err := b.Reload(); err != nil {
				t.Fatal(err)
			}
		}
		problems := b.Info().Problems
		if len(problems) != len(test.want) {
			t.Errorf("%s: %q", test.name, problems)
			continue
		}
		for i, want := range test.want {
			if !strings.Contains(problems[i], want) || strings.Count(b.log.String(), want) != 1 {
				t.Errorf("%s: %q, log %q; want %q", test.name, problems[i], b.log, want)
			}
		}
		b.clock.sleep(day)
		if err := b.Reload(); err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(b.log.String(), "level=WARN"); n < 2*len(test.want) {
			t.Errorf("%s: a day later %d warnings", test.name, n)
		}
	}
}

func TestSelfSignedSource(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data", "tls")
	now := &clock{t: day0}
	c := mustOpen(t, Options{Dir: dir, Hosts: []string{"kabar.example"}, Now: now.now})
	first := c.Info()
	if first.Source != SelfSignedSource || c.Trusted() || len(first.Problems) > 0 || strings.Join(first.Names, " ") != "localhost kabar.example 127.0.0.1 ::1" {
		t.Errorf("%+v", first)
	}
	checkModes(t, dir)
	now.sleep(699 * day)
	if err := c.Reload(); err != nil || c.Info().Fingerprint != first.Fingerprint {
		t.Errorf("another certificate, or %v", err)
	}
	now.sleep(2 * day)
	run(t, c)
	patience.Until(t, "it is renewed", func() bool { return c.Info().Fingerprint != first.Fingerprint })
	write(t, filepath.Join(dir, certFile), []byte("damaged"))
	if err := c.Reload(); err == nil || c.Info().Fingerprint == "" {
		t.Errorf("a damaged file: %v", err)
	}
}
