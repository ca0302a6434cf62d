package signature_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"kabar/internal/signature"
)

func TestVerify(t *testing.T) {
	at := time.Unix(vectorSecond, 0)
	good := func() http.Header { return headers(vectorID, at, vectorV1) }
	with := func(name string, values ...string) http.Header {
		h := good()
		h[name] = values
		return h
	}
	for _, c := range []struct {
		name   string
		header http.Header
		now    time.Time
		want   error
	}{
		{"good", good(), at, nil},
		{"the last moment", good(), at.Add(signature.Tolerance), nil},
		{"too old", good(), at.Add(signature.Tolerance + time.Second), signature.ErrTime},
		{"a clock that is behind", good(), at.Add(-signature.Tolerance), nil},
		{"too new", good(), at.Add(-signature.Tolerance - time.Second), signature.ErrTime},
		{"the second is right", with(signature.HeaderSignature, vectorV1a+" "+vectorV1), at, nil},
		{"garbage before it", with(signature.HeaderSignature, "v1 , v1, ,, v2,AAAA v1,%% "+vectorV1), at, nil},
		{"another version", with(signature.HeaderSignature, "v2"+vectorV1[2:]), at, signature.ErrSignature},
		{"no version", with(signature.HeaderSignature, vectorV1[3:]), at, signature.ErrSignature},
		{"v1 as v1a", with(signature.HeaderSignature, "v1a"+vectorV1[2:]), at, signature.ErrSignature},
		{"the beginning of it", with(signature.HeaderSignature, vectorV1[:20]), at, signature.ErrSignature},
		{"too many", with(signature.HeaderSignature, strings.Repeat("v1,x ", 16)+vectorV1), at, signature.ErrHeader},
		{"as many as may be", with(signature.HeaderSignature, strings.Repeat("v1,x ", 15)+vectorV1), at, nil},
		{"no signature", with(signature.HeaderSignature), at, signature.ErrHeader},
		{"an empty one", with(signature.HeaderSignature, ""), at, signature.ErrHeader},
		{"two headers", with(signature.HeaderSignature, vectorV1, vectorV1), at, signature.ErrHeader},
		{"no id", with(signature.HeaderID), at, signature.ErrHeader},
		{"two ids", with(signature.HeaderID, vectorID, "x"), at, signature.ErrHeader},
		{"an id with a point", with(signature.HeaderID, vectorID+".1"), at, signature.ErrHeader},
		{"no second", with(signature.HeaderTimestamp), at, signature.ErrHeader},
		{"a second with a sign", with(signature.HeaderTimestamp, "+1614265330"), at, signature.ErrHeader},
		{"milliseconds", with(signature.HeaderTimestamp, "1614265330000"), at, signature.ErrTime},
		{"the end of all time", with(signature.HeaderTimestamp, "9223372036854775807"), at, signature.ErrTime},
		{"its beginning", with(signature.HeaderTimestamp, "-9223372036854775808"), at, signature.ErrTime},
		{"words", with(signature.HeaderTimestamp, "now"), at, signature.ErrHeader},
	} {
		if err := signature.Verify([]string{shared(24), vectorShared}, c.header, []byte(vectorBody), c.now); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	if err := signature.Verify(nil, good(), []byte(vectorBody), at); !errors.Is(err, signature.ErrSignature) {
		t.Errorf("without a secret: %v", err)
	}
	if err := signature.Verify([]string{"whsec_x"}, good(), []byte(vectorBody), at); err == nil {
		t.Error("with a bad secret it is right")
	}
}

// Whatever the headers are, nothing is taken for ours but what is: the one signature that was made.
func FuzzVerify(f *testing.F) {
	f.Add(vectorID, "1614265330", vectorV1, []byte(vectorBody))
	f.Add(vectorID, "1614265330", vectorV1a+" "+vectorV1, []byte(vectorBody))
	f.Add("", "", " ,, v1,", []byte{})
	f.Add("a.b", "-1", "v1a,AA== v1a v1,=", []byte("x"))
	f.Fuzz(func(t *testing.T, id, second, value string, body []byte) {
		header := http.Header{signature.HeaderID: {id}, signature.HeaderTimestamp: {second}, signature.HeaderSignature: {value}}
		err := signature.Verify([]string{vectorShared, vectorPublic}, header, body, time.Unix(vectorSecond, 0))
		made := id == vectorID && second == "1614265330" && string(body) == vectorBody && (strings.Contains(value, vectorV1) || strings.Contains(value, vectorV1a))
		if err == nil && !made {
			t.Errorf("%q %q %q %q is taken for ours", id, second, value, body)
		}
	})
}
