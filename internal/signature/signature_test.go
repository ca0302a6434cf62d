package signature_test

import (
	"encoding/base64"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"kabar/internal/signature"
)

// shared writes a secret of so many bytes.
func shared(n int) string {
	return "whsec_" + base64.StdEncoding.EncodeToString([]byte(strings.Repeat("k", n)))
}

func TestNewKeysAreAdmittedAndDiffer(t *testing.T) {
	if a, b := signature.New(), signature.New(); a == b || signature.Check(a) != nil || !strings.HasPrefix(a, "whsec_") {
		t.Errorf("New returned %d and %d characters: %v", len(a), len(b), signature.Check(a))
	}
	private, public := signature.NewPair()
	other, _ := signature.NewPair()
	if private == other || signature.Check(private) != nil || !strings.HasPrefix(private, "whsk_") {
		t.Errorf("NewPair: %v", signature.Check(private))
	}
	if got, err := signature.Public(private); got != public || err != nil || !strings.HasPrefix(public, "whpk_") {
		t.Errorf("Public returned %q, %v instead of %q", got, err, public)
	}
	if _, err := signature.Public(signature.New()); err == nil {
		t.Error("a shared secret has a public half")
	}
}

func TestCheck(t *testing.T) {
	private, public := signature.NewPair()
	other, _ := signature.NewPair()
	raw, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(private, "whsk_"))
	foreign, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(other, "whsk_"))
	mixed := "whsk_" + base64.StdEncoding.EncodeToString(append(raw[:32:32], foreign[32:]...))
	for _, c := range []struct{ secret, want string }{
		{shared(24), ""},
		{shared(64), ""},
		{private, ""},
		{"", "begins with whsec_ or whsk_"},
		{"whsec", "begins with"},
		{strings.TrimPrefix(shared(24), "whsec_"), "begins with"},
		{"WHSEC_" + shared(24)[6:], "begins with"},
		{" " + shared(24), "begins with"},
		{shared(23), "24 to 64 bytes, this one 23"},
		{shared(65), "this one 65"},
		{"whsec_", "this one 0"},
		{shared(24) + "\n", "no base64"},
		{shared(25)[:len(shared(25))-2], "no base64"},               // without its padding
		{strings.Replace(shared(25), "w==", "x==", 1), "no base64"}, // bits that do not count
		{"whsec_" + strings.Repeat("-_", 20), "no base64"},
		{"whsk_" + private[5:47], "no base64"},
		{"whsk_" + base64.StdEncoding.EncodeToString(raw[:32]), "64 bytes, seed and public key, this one 32"},
		{mixed, "do not belong together"},
		{public, "public key"},
		{"whpk_" + base64.StdEncoding.EncodeToString(raw), "this one 64"},
	} {
		err := signature.Check(c.secret)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%q: %v instead of %q", c.secret, err, c.want)
		}
		if _, signErr := signature.NewSigner([]string{c.secret}); (signErr == nil) != (err == nil) {
			t.Errorf("%q: NewSigner says %v", c.secret, signErr)
		}
	}
}

func TestASignerShowsNoSecret(t *testing.T) {
	s, err := signature.NewSigner([]string{shared(24)})
	if err != nil {
		t.Fatal(err)
	}
	var logged strings.Builder
	slog.New(slog.NewTextHandler(&logged, nil)).Info("signs", "by", s)
	for _, printed := range []string{fmt.Sprint(s), fmt.Sprintf("%+v %#v %s %x", s, s, s, s), logged.String()} {
		if !strings.Contains(printed, "[signer]") || strings.Contains(printed, "107") || strings.Contains(printed, "6b6b") || strings.Contains(printed, "kk") {
			t.Errorf("printed as %s", printed)
		}
	}
}

// What is refused is said without the secret: errors end in logs.
func FuzzCheck(f *testing.F) {
	private, public := signature.NewPair()
	for _, seed := range []string{"", "whsec_", "whsk_", "whpk_", shared(24), shared(65), private, public, "whsec_AAAA\r\n"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, secret string) {
		err := signature.Check(secret)
		if _, text, _ := strings.Cut(secret, "_"); err != nil && len(text) > 16 && strings.Contains(err.Error(), text) {
			t.Errorf("the error repeats it: %v", err)
		}
		if s, signErr := signature.NewSigner([]string{secret}); (err == nil) != (signErr == nil) || (s != nil) != (err == nil) {
			t.Errorf("Check says %v, NewSigner %v", err, signErr)
		}
		if _, publicErr := signature.Public(secret); publicErr == nil && err != nil {
			t.Errorf("it has a public half, but Check says %v", err)
		}
	})
}
