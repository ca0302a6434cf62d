package main

import (
	"flag"
	"maps"
	"net/http"
	"slices"
	"sync/atomic"
	"testing"

	"kabar/internal/golden"
)

// goldenDialect is an API whose golden files are played, and all that the player knows of it.
type goldenDialect struct {
	folder  string                // of the files
	cloud   bool                  // ids are named as those of the Cloud API are
	crafted map[string]craftedFor // files that the product's phones and relay cannot play alone
	twin    *goldenDialect        // that some requests of its files are of; nil: none

	// speaks reports whether a request is of this dialect, and accepts whether the answer to one names a message.
	speaks  func(path string) bool
	accepts func(path string, status int) bool
	// fill fills in what a mould has made up, call names the ids that it knows, identify gives a request its credentials, and check
	// looks at what every answer has.
	fill     func(m *goldenMould, request string) string
	call     func(m *goldenMould, names *golden.Names)
	identify func(m *goldenMould, q *golden.Request) error
	check    func(path string, status int, header http.Header) error
	// webhook makes the request that has webhooks sent to a URL; split takes a body with several events apart.
	webhook func(m *goldenMould, url string) (*http.Request, error)
	split   func(body []byte) ([][]byte, error)
	// hash is that of a customer's identity; connected is an error unless the number is connected, or is not, as wanted.
	hash      func(m *goldenMould, s *goldenServer, wa string) string
	connected func(m *goldenMould, s *goldenServer, want bool) error
}

// craftedFor is the step for which a file needs a handset or a network of the player's own: the section, what stands in it, and why
// the product's do not do it.
type craftedFor struct{ section, step, why string }

// Each file takes a server, a relay and phones, and those of an outage a minute besides. So go test plays every other one here, while the
// packages of the dialects play all in their own process; CI plays the rest.
var goldenRest = flag.Bool("golden-rest", false, "play the golden files that are left out otherwise")

// TestGoldenExchanges plays the golden exchanges of every dialect against the real program: each file on kabar serve, a relay and
// phones of its own, which are processes, or on kabar dev where it needs its clock.
func TestGoldenExchanges(t *testing.T) {
	mould := newGoldenMould(t)
	for name, dialect := range map[string]goldenDialect{"onprem": onPremGolden(), "cloud": cloudGolden()} {
		var played, answers atomic.Int32
		t.Run(name, func(t *testing.T) {
			files, err := golden.Files(dialect.folder)
			if err != nil {
				t.Fatal(err)
			}
			for i, file := range files {
				if u, ok := dialect.crafted[file.Name]; ok && !file.Has(u.section, u.step) {
					t.Errorf("%s needs no hands of its own: it has no %q", file.Name, u.step)
				}
				if *goldenRest != (i%2 == 1 || file.Has("do", "offline")) || testing.Short() && i%16 != 0 {
					continue
				}
				played.Add(1)
				t.Run(file.Name, func(t *testing.T) {
					t.Parallel()
					p := newGoldenPlayer(t, mould, &dialect, file)
					answers.Add(int32(p.play(file)))
				})
			}
			for _, name := range slices.Sorted(maps.Keys(dialect.crafted)) {
				if !slices.ContainsFunc(files, func(f *golden.File) bool { return f.Name == name }) {
					t.Errorf("%s is not there", name)
				}
			}
		})
		t.Logf("%s: %d files, %d expectations compared", name, played.Load(), answers.Load())
	}
}
