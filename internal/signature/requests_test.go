package signature_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"kabar/internal/signature"
)

// received is a request as somebody else's verifier gets it, and whether it is good.
type received struct {
	name, secret, id, timestamp, signature, body string
	good                                         bool
}

// requests are what every verifier has to agree with us about. They count from now, as verifiers do.
func requests(t *testing.T) []received {
	t.Helper()
	const id, body = "evt_2kwpbgllafxdpx2ai54ppj85f4", `{"type":"message.received","text":"¿qué tal? 👋"}`
	old, secret := signature.New(), signature.New()
	pair, _ := signature.NewPair()
	now := time.Now()
	signed := func(name string, good bool, after time.Duration, secrets ...string) received {
		value, err := signature.Sign(secrets, id, now.Add(after), []byte(body))
		if err != nil {
			t.Fatal(err)
		}
		return received{name, secret, id, strconv.FormatInt(now.Add(after).Unix(), 10), value, body, good}
	}
	changed := func(name string, change func(*received)) received {
		r := signed(name, false, 0, secret)
		change(&r)
		return r
	}
	return []received{
		signed("good signature", true, 0, secret),
		signed("two signatures, the second is right", true, 0, old, secret),
		signed("one of another kind before it", true, 0, pair, secret),
		signed("a clock that is behind", true, 4*time.Minute, secret),
		signed("another secret", false, 0, old),
		signed("old timestamp", false, -6*time.Minute, secret),
		signed("timestamp of the future", false, 6*time.Minute, secret),
		changed("changed body", func(r *received) { r.body = strings.Replace(r.body, "tal", "tak", 1) }),
		changed("changed id", func(r *received) { r.id += "a" }),
		changed("changed timestamp", func(r *received) { r.timestamp = strconv.FormatInt(now.Unix()-1, 10) }),
		changed("the beginning of a signature", func(r *received) { r.signature = r.signature[:20] }),
		changed("garbage for a signature", func(r *received) { r.signature = "v1 ,,  v1, v2,AAAA ñ☃ %%% v1," + strings.Repeat("A", 43) + "=" }),
		changed("words for a timestamp", func(r *received) { r.timestamp = "yesterday" }),
		changed("a timestamp that is too long", func(r *received) { r.timestamp = strings.Repeat("9", 400) }),
		changed("a timestamp that is far too long", func(r *received) { r.timestamp = strings.Repeat("9", 6000) }),
		changed("no id", func(r *received) { r.id = "" }),
		changed("no timestamp", func(r *received) { r.timestamp = "" }),
		changed("no signature", func(r *received) { r.signature = "" }),
	}
}

// unset is a request that is signed under nothing at all, to a receiver whose secret has not been set: anybody could make it.
func unset(r received) received {
	mac := hmac.New(sha256.New, nil)
	mac.Write([]byte(r.id + "." + r.timestamp + "." + r.body))
	r.name, r.secret, r.signature, r.good = "no secret", "", "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)), false
	return r
}

func (r received) header() http.Header {
	h := http.Header{}
	h.Set("webhook-id", r.id)
	h.Set("webhook-timestamp", r.timestamp)
	h.Set("webhook-signature", r.signature)
	return h
}

// judge gives a program the requests on its standard input: one a line, its secret, id, timestamp, signature and body in base64, parted by
// tabs. The program answers each with a line: true if it takes the request for good, otherwise false.
func judge(t *testing.T, cmd *exec.Cmd, requests []received) {
	t.Helper()
	var in strings.Builder
	for _, r := range requests {
		fields := []string{r.secret, r.id, r.timestamp, r.signature, r.body}
		for i := range fields {
			fields[i] = base64.StdEncoding.EncodeToString([]byte(fields[i]))
		}
		in.WriteString(strings.Join(fields, "\t") + "\n")
	}
	cmd.Stdin, cmd.Stderr = strings.NewReader(in.String()), os.Stderr
	out, err := cmd.Output()
	answers := strings.Fields(string(out))
	if err != nil || len(answers) != len(requests) {
		t.Fatalf("%v: it answered %q", err, out)
	}
	for i, r := range requests {
		t.Run(r.name, func(t *testing.T) {
			if answers[i] != strconv.FormatBool(r.good) {
				t.Errorf("it says %s", answers[i])
			}
		})
	}
}
