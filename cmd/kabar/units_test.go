package main

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"pgregory.net/rapid"
)

const day = 24 * time.Hour

func TestDuration(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"0": 0, "0s": 0, "90d": 90 * day, "2w": 14 * day, "1w2d3h": 9*day + 3*time.Hour, "1.5d": 36 * time.Hour, "0.5w": 84 * time.Hour,
		"12h": 12 * time.Hour, "1h30m": 90 * time.Minute, "45s": 45 * time.Second, "250ms": 250 * time.Millisecond, "1us": time.Microsecond,
		"1µs": time.Microsecond, "7ns": 7, "1d1d": 2 * day, "106751d": 106751 * day, "1m1ms": time.Minute + time.Millisecond,
	} {
		var d duration
		if err := d.UnmarshalText([]byte(text)); err != nil || time.Duration(d) != want {
			t.Errorf("%q: %v, %v, want %v", text, time.Duration(d), err, want)
		}
	}
	for _, text := range []string{"", "90", "d", "-1d", "+1d", "1 d", "1D", "1y", "1d ", " 1d", "1.d", ".5d", "1.2.3h", "1e3s", "0x1h", "one day",
		"106752d", "15251w", "106751d106751d", "9999999999999999999d", "2562048h", "1d\n", "1µ"} {
		d := duration(7)
		if err := d.UnmarshalText([]byte(text)); err == nil || d != 7 || !strings.Contains(err.Error(), "90d") {
			t.Errorf("%q: %v, %v", text, time.Duration(d), err)
		}
	}
}

func TestSize(t *testing.T) {
	for text, want := range map[string]int64{
		"0": 0, "512": 512, "7B": 7, "512KB": 512_000, "64MB": 64_000_000, "2GB": 2_000_000_000, "64KiB": 64 << 10, "16MiB": 16 << 20, "1GiB": 1 << 30,
		"1.5MB": 1_500_000, "1.5GiB": 3 << 29, "0.1KB": 100, "0.5KiB": 512, "9223372036854775807": math.MaxInt64, "8589934591GiB": 8589934591 << 30,
	} {
		var n size
		if err := n.UnmarshalText([]byte(text)); err != nil || int64(n) != want {
			t.Errorf("%q: %d, %v, want %d", text, n, err, want)
		}
	}
	for _, text := range []string{"", "MB", "-1MB", "+1MB", "1 MB", "1mb", "1M", "1K", "1TB", "1/2MB", "1e3", "0x10", "0.5", "1.0001KB", "1.KB", ".5KB",
		"9223372036854775808", "8589934592GiB", strings.Repeat("9", 31), "1MBKB", "1MB\n"} {
		n := size(7)
		if err := n.UnmarshalText([]byte(text)); err == nil || n != 7 {
			t.Errorf("%q: %d, %v", text, n, err)
		}
	}
}

// What String writes is read as the same value.
func TestUnitsRoundTrip(t *testing.T) {
	for want, d := range map[string]duration{"0s": 0, "90d": duration(90 * day), "1h30m0s": duration(90 * time.Minute), "36h0m0s": duration(36 * time.Hour)} {
		if d.String() != want {
			t.Errorf("%v, want %s", d, want)
		}
	}
	for want, n := range map[string]size{"0": 0, "512B": 512, "64MB": 64e6, "64MiB": 64 << 20, "1GiB": 1 << 30, "1000GB": 1e12} {
		if n.String() != want {
			t.Errorf("%v, want %s", n, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		d, n := duration(rapid.Int64Min(0).Draw(t, "duration")), size(rapid.Int64Min(0).Draw(t, "size"))
		var d2 duration
		var n2 size
		if err := d2.UnmarshalText([]byte(d.String())); err != nil || d2 != d {
			t.Errorf("%s is read as %s, %v", d, d2, err)
		}
		if err := n2.UnmarshalText([]byte(n.String())); err != nil || n2 != n {
			t.Errorf("%s is read as %s, %v", n, n2, err)
		}
	})
}

// Flags take both types, with defaults, and say which flag is wrong.
func TestUnitsAsFlags(t *testing.T) {
	parse := func(args ...string) (wait duration, most size, err error) {
		var c struct {
			Wait duration `default:"2w"`
			Most size     `default:"64MB"`
		}
		parser, err := kong.New(&c)
		if err != nil {
			t.Fatal(err)
		}
		_, err = parser.Parse(args)
		return c.Wait, c.Most, err
	}
	if wait, most, err := parse(); err != nil || time.Duration(wait) != 14*day || most != 64e6 {
		t.Errorf("defaults: %v, %v, %v", wait, most, err)
	}
	if wait, most, err := parse("--wait", "90d", "--most=1GiB"); err != nil || time.Duration(wait) != 90*day || most != 1<<30 {
		t.Errorf("%v, %v, %v", wait, most, err)
	}
	if _, _, err := parse("--wait", "soon"); err == nil || !strings.Contains(err.Error(), "--wait") || !strings.Contains(err.Error(), "want a duration") {
		t.Errorf("%v", err)
	}
}

func FuzzUnits(f *testing.F) {
	for _, s := range []string{"90d", "1w2d3h4m5s6ms", "1.5GiB", "64KB", "0", "9223372036854775807"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var d duration
		var n size
		if d.UnmarshalText([]byte(s)) == nil && d < 0 || n.UnmarshalText([]byte(s)) == nil && n < 0 {
			t.Errorf("%q: %d, %d", s, d, n)
		}
	})
}

func TestInstant(t *testing.T) {
	for text, want := range map[string]string{"2031-05-02T10:15:00Z": "2031-05-02T10:15:00Z", "2031-05-02T17:15:00+07:00": "2031-05-02T10:15:00Z",
		"tomorrow": "", "2031-05-02": "", "": ""} {
		var i instant
		err := i.UnmarshalText([]byte(text))
		if got := time.Time(i).UTC().Format(time.RFC3339); want != "" && (err != nil || got != want) {
			t.Errorf("%q: %s, %v", text, got, err)
		}
		if want == "" && (err == nil || !strings.Contains(err.Error(), "such as 2031-05-02T10:15:00Z")) {
			t.Errorf("%q: %v", text, err)
		}
	}
}
