package onprem

import (
	"errors"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"kabar"
	"kabar/internal/web"
)

func TestParseTTL(t *testing.T) {
	for s, want := range map[string]time.Duration{
		"1": time.Second, "86400": 24 * time.Hour, "2592000": 720 * time.Hour, "P1D": 24 * time.Hour, "P30D": 720 * time.Hour, "P1W": 168 * time.Hour,
		"PT1S": time.Second, "PT90M": 90 * time.Minute, "P1DT1H1M1S": 25*time.Hour + time.Minute + time.Second, "P1W1D": 192 * time.Hour,
		"0": 0, "-5": 0, "2592001": 0, "P31D": 0, "P": 0, "PT": 0, "P1Y": 0, "P1M": 0, "p1d": 0, "1D": 0, "P1.5D": 0, " 5": 0, "5 ": 0, "1e3": 0, "PT0S": 0,
		"P999999999W999999999D": 0, "99999999999999999999": 0, "P9999999999D": 0, "P1H": 0,
	} {
		got, ok := parseTTL(s)
		if ok != (want != 0) || ok && got != want {
			t.Errorf("%q: %v, %v; want %v", s, got, ok, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		if d, ok := parseTTL(rapid.String().Draw(t, "s")); ok && (d < time.Second || d > kabar.DefaultTTL) {
			t.Errorf("%v", d)
		}
	})
}

// testDecoder knows the medium "m" and the message "x".
func testDecoder() decoder {
	return decoder{
		kinds:  kinds(),
		medium: func(id string) (kabar.MediaID, bool) { return 7, id == "m" },
		message: func(id string) (*kabar.Message, error) {
			if id != "x" {
				return nil, kabar.Refuse(kabar.ReasonNotFound, "", "none")
			}
			return &kabar.Message{ID: 5}, nil
		},
	}
}

// Whatever comes in, the decoder does not panic: it gives a request with a content, or an error that can be answered.
func FuzzDecode(f *testing.F) {
	for _, file := range goldenFiles(f) {
		for _, s := range file.Sections {
			if _, body, ok := strings.Cut(s.Text, "\n\n"); ok && s.Name == "request" {
				f.Add([]byte(body))
			}
		}
	}
	f.Add([]byte(`{"to":"1","type":"template","template":{"components":[{"type":"button","index":-1}]}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		r, err := testDecoder().request(body)
		var refused *kabar.Error
		var malformed *web.Error
		switch {
		case err == nil && (r.Content == nil || r.To == ""):
			t.Errorf("%q gives %+v", body, r)
		case err == nil:
			if _, err := kabar.EncodeContent(r.Content); err != nil {
				t.Errorf("%q: %v", body, err)
			}
			_ = r.Content.Validate()
		case !errors.As(err, &refused) && !errors.As(err, &malformed):
			t.Errorf("%q gives the error %v", body, err)
		}
	})
}

// A lookup that fails for another reason than "not there" is not blamed on the request.
func TestLookupFaultsAreNotTheCallers(t *testing.T) {
	d, broken := testDecoder(), errors.New("disk is gone")
	d.message = func(string) (*kabar.Message, error) { return nil, broken }
	_, err := d.request([]byte(`{"to":"34600111222","context":{"message_id":"x"},"text":{"body":"x"}}`))
	if !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}

func TestLenientValues(t *testing.T) {
	type object struct {
		N web.IntOrString `json:"n"`
		P providerName    `json:"p"`
	}
	for body, want := range map[string]object{
		`{"n":5}`: {N: 5}, `{"n":"-5"}`: {N: -5}, `{"n":null,"p":null}`: {}, `{"p":"cdn"}`: {P: "cdn"}, `{"p":{"name":"cdn","x":1}}`: {P: "cdn"}, `{"p":{}}`: {},
	} {
		var got object
		if err := web.Decode([]byte(body), &got, web.Options{}); err != nil || got != want {
			t.Errorf("%s: %+v, %v", body, got, err)
		}
	}
	for _, body := range []string{`{"n":"x"}`, `{"n":1.5}`, `{"n":""}`, `{"n":99999999999999999999}`, `{"n":[]}`, `{"p":[]}`, `{"p":true}`, `{"p":{"name":7}}`} {
		var got object
		var fault *web.Error
		if err := web.Decode([]byte(body), &got, web.Options{}); !errors.As(err, &fault) || fault.Kind != web.WrongType {
			t.Errorf("%s: %+v, %v", body, got, err)
		}
	}
}
