package logs

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

const redacted = "[redacted]"

// Bounds of a phone number with its country code (ITU-T E.164, section 6).
const (
	minDigits = 7
	maxDigits = 15
)

var (
	digitRun = regexp.MustCompile(`[0-9]{7,}`)
	bsuid    = regexp.MustCompile(`\b[A-Z]{2}\.[0-9A-Za-z]{8,128}\b`) // a customer who hides the number
	// address is a URL within a text: scheme, user, host, rest.
	address = regexp.MustCompile(`\b([A-Za-z][A-Za-z0-9+.-]*://)([^\s/"'?#@]*@)?([^\s/"'?#@]*)([^\s"']*)`)
)

// masker takes out of a line what must not be in it.
type masker struct {
	key     [sha256.Size]byte
	numbers bool // phone numbers stay
	json    bool // values are written as JSON
}

func newMasker(o Options) *masker {
	m := &masker{numbers: o.Numbers, json: o.Format == JSON}
	_, _ = rand.Read(m.key[:]) // it never fails
	return m
}

// replace is slog's ReplaceAttr: it sees every attribute, those of With and the message itself, after LogValuers are
// resolved; of groups it sees the members.
func (m *masker) replace(_ []string, a slog.Attr) slog.Attr {
	switch ruleOf(a.Key) {
	case plain:
		return a
	case secret:
		a.Value = slog.StringValue(redacted)
	case person:
		a.Value = m.person(a.Value)
	case scan:
		a.Value = m.scan(a.Value)
	}
	return a
}

// person masks the value of an attribute that names somebody. A short number, such as a key of the store, names nobody.
func (m *masker) person(v slog.Value) slog.Value {
	text := m.text(v)
	if m.numbers || text == "" || isKey(text) {
		return v
	}
	return slog.StringValue(m.Mask(text))
}

// isKey says whether a text is a number that is too short for a telephone.
func isKey(text string) bool {
	_, err := strconv.ParseUint(text, 10, 64)
	return err == nil && len(text) < minDigits
}

// scan masks what is found within a value. Numbers, times and durations hold nothing: a phone number is a text everywhere
// in this program, and a number is a key, a count or a size.
func (m *masker) scan(v slog.Value) slog.Value {
	if k := v.Kind(); k != slog.KindString && k != slog.KindAny || isNumber(v.Any()) {
		return v
	}
	text := m.text(v)
	if clean := m.clean(text); clean != text || isError(v) {
		return slog.StringValue(clean)
	}
	return v
}

// isNumber says whether a value is a number of a type with a name, such as kabar.MessageID or slog.Level.
func isNumber(v any) bool {
	switch reflect.ValueOf(v).Kind() {
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64, reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32,
		reflect.Uint64, reflect.Float32, reflect.Float64, reflect.Bool:
		return true
	default:
		return false
	}
}

func isError(v slog.Value) bool {
	_, ok := v.Any().(error)
	return ok
}

// clean masks phone numbers and URLs in a text.
func (m *masker) clean(text string) string {
	if strings.Contains(text, "://") {
		text = address.ReplaceAllStringFunc(text, cutURL)
	}
	if m.numbers {
		return text
	}
	text = bsuid.ReplaceAllStringFunc(text, m.Mask)
	return digitRun.ReplaceAllStringFunc(text, func(run string) string {
		if len(run) > maxDigits {
			return run // a key, a hash or a time: no telephone has so many
		}
		return m.Mask(run)
	})
}

// cutURL leaves scheme and host of a URL.
func cutURL(url string) string {
	part := address.FindStringSubmatch(url)
	if part[4] == "" || part[4] == "/" {
		return part[1] + part[3] + part[4]
	}
	return part[1] + part[3] + "/…"
}

// Mask returns the form of a phone number, or of another name of somebody, in the log. Of a short one it shows the hash
// alone.
func (m *masker) Mask(name string) string {
	mac := hmac.New(sha256.New, m.key[:])
	mac.Write([]byte(strings.TrimPrefix(name, "+")))
	hash := "#" + hex.EncodeToString(mac.Sum(nil)[:2])
	if len(name) < minDigits || !utf8.ValidString(name) {
		return "…" + hash
	}
	shown := []rune(strings.TrimPrefix(name, "+"))
	return string(shown[:2]) + "…" + string(shown[len(shown)-2:]) + hash
}

// text returns a value as the handler would write it.
func (m *masker) text(v slog.Value) (text string) {
	if v.Kind() != slog.KindAny {
		return v.String()
	}
	defer func() {
		if cause := recover(); cause != nil {
			text = "!panic in a value" // of its Error or MarshalText method; a line must not end the program
		}
	}()
	switch x := v.Any().(type) {
	case error:
		return x.Error()
	case encoding.TextMarshaler:
		if b, err := x.MarshalText(); err == nil {
			return string(b)
		}
	case []byte:
		return string(x)
	}
	if m.json {
		if b, err := json.Marshal(v.Any()); err == nil {
			return string(b)
		}
	}
	return fmt.Sprintf("%+v", v.Any())
}
