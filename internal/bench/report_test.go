package bench

import (
	"bytes"
	"encoding/json"
	"flag"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// sample is a report with everything in it.
func sample() *Report {
	r := &Report{Program: "kabar 0.0.0", Command: "kabar bench accept --seconds 5", At: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Took: 61 * time.Second,
		Database: "sqlite", Machine: Machine{CPU: "Example 9000", Cores: 2, Memory: 24 << 30, OS: "Linux 6.0 amd64", Go: "go1.26", Filesystem: "ext4", Fsync: 4321.4}}
	r.put("accept.per_s", 12345.6)
	r.put("accept.ceiling_per_s", 23456.7)
	r.put("accept.ratio", 0.52634)
	r.put("accept.p50_ms", 4.127)
	r.put("accept.p99_ms", 1234.56)
	r.put("accept.cpu_us", math.NaN())
	r.put("backlog.start_s", 1.26)
	r.put("backlog.rss_mib", 104.25)
	r.note("said %d times", 1)
	t := table{title: "accept: a title", about: "What it is.", head: []string{"clients", "messages/s", "ratio", "p50 ms", "p99 ms", "CPU us"}}
	t.add("64", "accept.", "per_s", "ratio", "p50_ms", "p99_ms", "cpu_us")
	t.rows = append(t.rows, []string{"ceiling", "=accept.ceiling_per_s", missing, missing, missing, missing})
	r.tables = append(r.tables, t)
	return r
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs; got:\n%s", name, got)
	}
}

func TestTable(t *testing.T) {
	var b bytes.Buffer
	if err := sample().Print(&b); err != nil {
		t.Fatal(err)
	}
	golden(t, "report.txt", b.Bytes())
}

func TestJSON(t *testing.T) {
	got, err := sample().JSON()
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "report.json", got)
	var flat map[string]any
	if err := json.Unmarshal(got, &flat); err != nil {
		t.Fatal(err)
	}
	if flat["accept.ratio"] != 0.526 {
		t.Errorf("accept.ratio is %v", flat["accept.ratio"])
	}
	if _, there := flat["accept.cpu_us"]; there {
		t.Error("a figure that could not be had is in the JSON")
	}
}

// More memory than the product may need is a fault of the run, in whatever mode it was measured.
func TestJudge(t *testing.T) {
	for _, c := range []struct {
		mib  float64
		want string
	}{{math.NaN(), ""}, {199.9, ""}, {200, ""}, {200.4, "media: the server had 200.4 MiB of memory at its peak, and may have 200"}} {
		r := &Report{}
		r.put("media.rss_mib", c.mib)
		got := ""
		if err := r.Judge(); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%v MiB: %q, want %q", c.mib, got, c.want)
		}
	}
}

func TestThousands(t *testing.T) {
	for _, c := range []struct {
		v      float64
		digits int
		want   string
	}{{0, 0, "0"}, {999, 0, "999"}, {1000, 0, "1,000"}, {1234567.89, 1, "1,234,567.9"}, {-1000, 0, "-1,000"}, {-100, 0, "-100"}, {0.5, 3, "0.500"}} {
		if got := thousands(c.v, c.digits); got != c.want {
			t.Errorf("thousands(%v, %d) = %q, want %q", c.v, c.digits, got, c.want)
		}
	}
}
