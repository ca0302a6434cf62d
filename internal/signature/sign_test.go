package signature_test

import (
	"bytes"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"kabar/internal/signature"
)

// The vectors that libraries of the specification are tested with. The second pair is Svix's, and made the example in the text of the
// specification.
const (
	vectorID     = "msg_p5jXN8AQM9LWM0D4loKWxJek"
	vectorSecond = 1614265330
	vectorBody   = `{"test": 2432232314}`
	vectorShared = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	vectorKey    = "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg=="
	vectorPublic = "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4="
	vectorV1     = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
	vectorV1a    = "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg=="
)

func TestVectors(t *testing.T) {
	at := time.Unix(vectorSecond, 0)
	for _, c := range []struct {
		secrets []string
		want    string
	}{
		{[]string{vectorShared}, vectorV1},
		{[]string{vectorKey}, vectorV1a},
		{[]string{vectorShared, vectorKey}, vectorV1 + " " + vectorV1a},
		{[]string{vectorKey, vectorShared, vectorKey}, vectorV1a + " " + vectorV1 + " " + vectorV1a},
	} {
		got, err := signature.Sign(c.secrets, vectorID, at.Add(999*time.Millisecond), []byte(vectorBody))
		if got != c.want || err != nil {
			t.Errorf("%v: %q, %v", c.secrets, got, err)
		}
		for _, secret := range append(c.secrets, vectorPublic) {
			err := signature.Verify([]string{secret}, headers(vectorID, at, c.want), []byte(vectorBody), at)
			if fits := secret != vectorPublic || strings.Contains(c.want, "v1a"); (err == nil) != fits {
				t.Errorf("%s: %v", secret, err)
			}
		}
	}
	if got, err := signature.Public(vectorKey); got != vectorPublic || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}

func TestWhatIsNotSigned(t *testing.T) {
	for name, c := range map[string]struct {
		secrets []string
		id      string
	}{
		"no secret":       {nil, "evt_1"},
		"a bad secret":    {[]string{vectorShared, "whsec_"}, "evt_1"},
		"a public key":    {[]string{vectorPublic}, "evt_1"},
		"no id":           {[]string{vectorShared}, ""},
		"id with a point": {[]string{vectorShared}, "evt_1.2"},
	} {
		if got, err := signature.Sign(c.secrets, c.id, time.Unix(1, 0), nil); got != "" || err == nil {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

// What is signed is right for each of its secrets, and for nothing else that differs in one thing.
func TestSignaturesHoldForWhatWasSigned(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		secrets := make([]string, rapid.IntRange(1, 4).Draw(t, "secrets"))
		for i := range secrets {
			if secrets[i] = signature.New(); rapid.Bool().Draw(t, "pair") {
				secrets[i], _ = signature.NewPair()
			}
		}
		id := rapid.StringMatching(`[a-z_0-9]{1,40}`).Draw(t, "id")
		at := time.Unix(rapid.Int64Range(-1e10, 1e11).Draw(t, "at"), 0)
		body := rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(t, "body")
		value, err := signature.Sign(secrets, id, at, body)
		if err != nil {
			t.Fatal(err)
		}
		right := rapid.SampledFrom(secrets).Draw(t, "secret")
		if err := signature.Verify([]string{right}, headers(id, at, value), body, at); err != nil {
			t.Fatal(err)
		}
		for what, err := range map[string]error{
			"another id":     signature.Verify(secrets, headers(id+"x", at, value), body, at),
			"another second": signature.Verify(secrets, headers(id, at.Add(time.Second), value), body, at),
			"another body":   signature.Verify(secrets, headers(id, at, value), append(slices.Clip(body), 0), at),
			"another secret": signature.Verify([]string{signature.New()}, headers(id, at, value), body, at),
		} {
			if err == nil {
				t.Errorf("%s has the same signature", what)
			}
		}
	})
}

// A signer is used by many at once, and what it keeps from one signature is not in the next.
func TestASignerIsShared(t *testing.T) {
	secrets := []string{vectorShared, vectorKey}
	s, err := signature.NewSigner(secrets)
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for g := range 8 {
		all.Go(func() {
			for i := range 50 {
				id, body := "evt_"+strconv.Itoa(i), bytes.Repeat([]byte{byte(g)}, i*i*60)
				got, err := s.Sign(id, time.Unix(int64(g), 0), body)
				want, _ := signature.Sign(secrets, id, time.Unix(int64(g), 0), body)
				if got != want || err != nil {
					t.Errorf("%q, %v instead of %q", got, err, want)
				}
			}
		})
	}
	all.Wait()
}

// headers are those of a webhook.
func headers(id string, at time.Time, value string) http.Header {
	return http.Header{
		signature.HeaderID:        {id},
		signature.HeaderTimestamp: {strconv.FormatInt(at.Unix(), 10)},
		signature.HeaderSignature: {value},
	}
}

func BenchmarkSign(b *testing.B) {
	body := bytes.Repeat([]byte("x"), 1000)
	at := time.Unix(vectorSecond, 0)
	for name, secrets := range map[string][]string{"v1": {vectorShared}, "two v1": {vectorShared, shared(32)}, "v1a": {vectorKey}} {
		b.Run(name, func(b *testing.B) {
			s, err := signature.NewSigner(secrets)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := s.Sign(vectorID, at, body); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
