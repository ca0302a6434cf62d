package vname_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"kabar/internal/vname"
)

func TestCertificate(t *testing.T) {
	for _, c := range []vname.Certificate{{Name: "Toko Dua"}, {Name: "Café ☕", Invite: "kri_ABC"}} {
		text := c.Encode()
		for _, form := range []string{text, strings.TrimRight(text, "="), strings.NewReplacer("+", "-", "/", "_").Replace(text), text[:8] + "\r\n" + text[8:]} {
			if got, err := vname.Decode(form); err != nil || got != c {
				t.Errorf("%q: %+v, %v, want %+v", form, got, err, c)
			}
		}
	}
}

// A certificate with serial, issuer and signatures, as the original has them.
func TestCertificateOfTheOriginal(t *testing.T) {
	details := "\x08\x80\xf7\x96\xe4\x01\x12\x06ent:wa\x22\x08Toko Dua\x50\xc0\xc4\x07"
	message := "\x0a" + string(rune(len(details))) + details + "\x12\x04sign\x1a\x04more"
	got, err := vname.Decode(base64.StdEncoding.EncodeToString([]byte(message)))
	if err != nil || got != (vname.Certificate{Name: "Toko Dua"}) {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestNoCertificate(t *testing.T) {
	for _, text := range []string{"", "!", "AAAA", base64.StdEncoding.EncodeToString([]byte("\x0a\x05ab")), vname.Certificate{}.Encode(),
		vname.Certificate{Name: strings.Repeat("x", 129)}.Encode(), vname.Certificate{Name: "a\nb"}.Encode(), strings.Repeat("A", 20<<10)} {
		if got, err := vname.Decode(text); err == nil {
			t.Errorf("%.40q is %+v", text, got)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(vname.Certificate{Name: "Toko Dua", Invite: "kri_ABC"}.Encode())
	f.Fuzz(func(t *testing.T, text string) {
		if c, err := vname.Decode(text); err == nil && c.Name == "" {
			t.Error("a certificate of nobody")
		}
	})
}
