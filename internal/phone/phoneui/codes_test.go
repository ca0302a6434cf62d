package phoneui

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
)

func TestCodesAreShown(t *testing.T) {
	var codes []Code
	var fault error
	u := New(populated(), Options{Codes: func(context.Context) ([]Code, error) { return codes, fault }})
	const none = `aria-label="Verification codes"></ul>`
	if got := get(t, u, "/c/"+ana).Body.String(); !strings.Contains(got, none) {
		t.Error("without codes there is something to see")
	}
	codes = []Code{{Number: "+628111000201", Name: "<Dua>", Code: "316-089"}, {Number: "+628111000202", Code: "000-001"}}
	got := get(t, u, "/c/"+ana).Body.String()
	for _, want := range []string{`&lt;Dua&gt;</span>, &#43;628111000201 is <b>316-089</b>`, `of &#43;628111000202 is <b>000-001</b>`} {
		if !strings.Contains(got, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	fault = errors.New("closed")
	if w := get(t, u, "/c/"+ana); w.Code != http.StatusInternalServerError {
		t.Errorf("when codes cannot be read: %d", w.Code)
	}
}

// A browser that looks on sees a code come and go.
func TestCodesInTheStream(t *testing.T) {
	f := populated()
	events := listen(t, f, "?c="+ana, "")
	collect(t, events, `id="codes"`)
}
