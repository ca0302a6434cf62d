package logs_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"kabar"
	"kabar/internal/logs"
	"kabar/internal/secrets"
)

const (
	budi  = "6281234567890"
	bsuid = "ID.13491208655302741918"
)

// written returns what a log with these options writes.
func written(t testing.TB, o logs.Options, write func(*slog.Logger)) string {
	t.Helper()
	var b bytes.Buffer
	l, err := logs.New(&b, o)
	if err != nil {
		t.Fatal(err)
	}
	write(l.Logger())
	return b.String()
}

// cases are attributes, and how their value looks in the log. "M" stands for a masked number, 62…90 and a hash.
var cases = []struct {
	attr slog.Attr
	want string
}{
	{slog.String("number", budi), "M"},
	{slog.String("customer", budi), "M"},
	{slog.String("Wa_ID", budi), "M"},
	{slog.String("to", "+"+budi), "M"},
	{slog.Int64("from", 6281234567890), "M"},
	{slog.Any("peer", json.Number(budi)), "M"},
	{slog.String("account", bsuid), "ID…18#hash"},
	{slog.String("customer", "Budi"), "…#hash"},
	{slog.String("customer", ""), ""},
	{slog.Int64("number", 3), "3"},
	{slog.Any("number", kabar.NumberID(30000)), "30000"},
	{slog.String("url", "wss://relay.example"), "wss://relay.example"},
	{slog.String("url", "https://u:pw@app.example:8443/hook/T0/secret?token=x#y"), "https://app.example:8443/…"},
	{slog.String("url", "postgres://kabar:pw@db/kabar?sslmode=require"), "postgres://db/…"},
	{slog.Any("err", fmt.Errorf("send to %s: %w", budi, errors.New("no"))), "send to M: no"},
	{slog.Any("err", &url.Error{Op: "Post", URL: "https://app.example/" + budi, Err: errors.New("refused")}), `Post "https://app.example/…": refused`},
	{slog.Any("error", error(broken{})), "!panic in a value"},
	{slog.String("reason", "wa"+budi+"x, or +"+budi), "waMx, or +M"},
	{slog.String("other", "123456"), "123456"},
	{slog.Any("message", kabar.MessageID(123456789)), "123456789"},
	{slog.String("path", "/api/customers/"+bsuid+"/messages"), "/api/customers/ID…18#hash/messages"},
	{slog.String("other", "1234567890123456"), "1234567890123456"},
	{slog.Any("list", []string{"a", budi}), "[a M]"},
	{slog.Any("address", netip.MustParseAddr("192.168.1.1")), "192.168.1.1"},
	{slog.Any("key", secrets.NewKey()), "[redacted]"},
	{slog.String("token", "abc"), "[redacted]"},
	{slog.String("body", "Hello Budi"), "[redacted]"},
	{slog.Int64("seq", 123456789), "123456789"},
	{slog.Duration("wait", 90*time.Second), "1m30s"},
	{slog.String("request_id", "00000000001234567890123456789012"), "00000000001234567890123456789012"},
	{slog.String("envelope", "deadbeef12345678"), "deadbeef12345678"},
}

// broken is an error that cannot be asked.
type broken struct{}

func (broken) Error() string { panic("no") }

var hash = regexp.MustCompile(`#[0-9a-f]{4}`)

func TestMaskedForms(t *testing.T) {
	for _, c := range cases {
		out := written(t, logs.Options{}, func(l *slog.Logger) { l.Info("m", c.attr) })
		_, value, found := strings.Cut(strings.TrimSpace(out), "msg=m "+c.attr.Key+"=")
		if value = hash.ReplaceAllString(value, "#hash"); !found {
			t.Errorf("%v: %s", c.attr, out)
			continue
		}
		if unquoted, err := strconv.Unquote(value); err == nil {
			value = unquoted
		}
		if want := strings.ReplaceAll(c.want, "M", "62…90#hash"); value != want {
			t.Errorf("%v: %s, want %s", c.attr, value, want)
		}
	}
}

func TestMaskingReachesEverywhere(t *testing.T) {
	for _, format := range []string{logs.Text, logs.JSON} {
		out := written(t, logs.Options{Format: format}, func(l *slog.Logger) {
			l.With("number", budi).WithGroup("g").With("customer", budi).Info("to "+budi,
				slog.Group("inner", slog.String("wa_id", budi), slog.Group("deep", "err", errors.New(budi))),
				"lazy", lazy{}, "struct", struct{ Handle *string }{new(budi)}, "map", map[string]any{"x": budi})
		})
		if strings.Contains(out, budi) {
			t.Errorf("%s: %s", format, out)
		}
		forms := map[string]bool{}
		for _, form := range regexp.MustCompile(`62…90#[0-9a-f]{4}`).FindAllString(out, -1) {
			forms[form] = true
		}
		if len(forms) != 1 {
			t.Errorf("%s: one number has the forms %v: %s", format, forms, out)
		}
	}
}

type lazy struct{}

func (lazy) LogValue() slog.Value { return slog.GroupValue(slog.String("to", budi)) }

// Forms have 16 bits that tell them apart, so that one time in 65,536 two are alike by chance: it is looked at eight runs.
func TestTwoNumbersDiffer(t *testing.T) {
	one, two := map[string]bool{}, map[string]bool{}
	apart := false
	for range 8 {
		a := written(t, logs.Options{}, func(l *slog.Logger) { l.Info("", "to", "6281230000090"); l.Info("", "to", "6281230000190") })
		lines := strings.Split(strings.TrimSpace(a), "\n")
		x, y := lines[0][strings.Index(lines[0], "to="):], lines[1][strings.Index(lines[1], "to="):]
		one[x], two[y], apart = true, true, apart || x != y
	}
	if !apart {
		t.Errorf("two numbers with the same ends have the same forms: %v", one)
	}
	if len(one) == 1 || len(two) == 1 {
		t.Errorf("the form of a number is the same in every run: %v, %v", one, two)
	}
}

func TestNumbersMayBeShownSecretsNever(t *testing.T) {
	out := written(t, logs.Options{Numbers: true}, func(l *slog.Logger) {
		l.Info("to "+budi, "number", budi, "password", "pw", "url", "https://x.example/hook?token=pw")
	})
	if strings.Count(out, budi) != 2 || strings.Contains(out, "pw") {
		t.Error(out)
	}
}

// TestNoRunSurvives: whatever is logged, no line shows as many digits in a row as a phone number has.
func TestNoRunSurvives(t *testing.T) {
	run := regexp.MustCompile(`(^|[^0-9])[0-9]{7,15}($|[^0-9])`)
	keys := []string{"number", "customer", "to", "err", "error", "url", "reason", "what", "path", "seq_text", "g"}
	piece := rapid.OneOf(rapid.StringMatching(`[0-9]{0,20}`), rapid.StringMatching(`[a-z+ :/?#@"=.-]{0,6}`), rapid.Just("https://"), rapid.StringMatching(`[à-ÿ\n\t…]{0,4}`))
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Join(rapid.SliceOf(piece).Draw(t, "text"), "")
		key := rapid.SampledFrom(keys).Draw(t, "key")
		var value any = text
		switch rapid.IntRange(0, 4).Draw(t, "as") {
		case 1:
			value = errors.New(text)
		case 2:
			value = []string{text}
		case 3:
			value = map[string]string{"k": text}
		case 4:
			value = slog.GroupValue(slog.String(key, text))
		}
		var b bytes.Buffer
		l, err := logs.New(&b, logs.Options{Format: rapid.SampledFrom([]string{logs.Text, logs.JSON}).Draw(t, "format")})
		if err != nil {
			t.Fatal(err)
		}
		l.Logger().With(key, value).WithGroup("g").Info(text, key, value)
		line := regexp.MustCompile(`("time":"|time=)[^ ,]*`).ReplaceAllString(b.String(), "") // fractions of a second
		if m := run.FindString(line); m != "" {
			t.Fatalf("%q survives in %s", m, line)
		}
	})
}

func TestLevelChangesWhileItRuns(t *testing.T) {
	var b bytes.Buffer
	l, err := logs.New(&b, logs.Options{Level: slog.LevelWarn})
	if err != nil {
		t.Fatal(err)
	}
	with := l.Logger().With("a", 1)
	with.Info("first")
	l.SetLevel(slog.LevelDebug)
	with.Debug("second")
	l.SetLevel(slog.LevelError)
	with.Warn("third")
	if out := b.String(); strings.Contains(out, "first") || !strings.Contains(out, "second") || strings.Contains(out, "third") || l.Level() != slog.LevelError {
		t.Error(out)
	}
}

func TestBadOptions(t *testing.T) {
	if _, err := logs.New(nil, logs.Options{Format: "xml"}); err == nil || !strings.Contains(err.Error(), "text or json") {
		t.Error(err)
	}
	for name, want := range map[string]slog.Level{"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError} {
		if got, err := logs.ParseLevel(name); got != want || err != nil {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	if _, err := logs.ParseLevel("INFO"); err == nil {
		t.Error("a level in capitals passes")
	}
}

func FuzzLine(f *testing.F) {
	f.Add("to "+budi, "https://u@h/p?q")
	f.Fuzz(func(t *testing.T, msg, value string) {
		out := written(t, logs.Options{Format: logs.JSON}, func(l *slog.Logger) { l.Info(msg, "what", value, "to", value) })
		if !json.Valid([]byte(out)) {
			t.Errorf("%q is not JSON", out)
		}
	})
}
