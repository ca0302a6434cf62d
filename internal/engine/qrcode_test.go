package engine_test

import (
	"errors"
	"regexp"
	"testing"

	"kabar"
)

func TestANumberHasSoManyQRCodes(t *testing.T) {
	v := newEnv(t)
	const most = 2
	seen := map[string]bool{}
	for range most {
		q, err := v.e.AddQRCode(t.Context(), v.id, "Is the kitchen open?", most)
		if err != nil || seen[q.Code] || !regexp.MustCompile(`^[A-Z0-9]{14}$`).MatchString(q.Code) {
			t.Fatalf("%+v, %v", q, err)
		}
		seen[q.Code] = true
	}
	if _, err := v.e.AddQRCode(t.Context(), v.id, "one more", most); !refusedFor(err, kabar.ReasonInvalid) {
		t.Errorf("one more: %v", err)
	}
	all, err := v.e.QRCodes(t.Context(), v.id)
	if err != nil || len(all) != most {
		t.Fatalf("%d codes, %v", len(all), err)
	}
	if err := v.e.RemoveQRCode(t.Context(), v.id, all[0].Code); err != nil {
		t.Fatal(err)
	}
	if _, err := v.e.AddQRCode(t.Context(), v.id, "in its place", most); err != nil {
		t.Errorf("after one is deleted: %v", err)
	}
}

func refusedFor(err error, why kabar.Reason) bool {
	refused, ok := errors.AsType[*kabar.Error](err)
	return ok && refused.Reason == why
}
