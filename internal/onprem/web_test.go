package onprem

import (
	"bytes"
	"io"
	"net/http"
	"strings"

	"kabar"
	"kabar/internal/golden"
)

// fakeWeb answers links without a network, as golden.Fetch says.
type fakeWeb struct{}

func (fakeWeb) Fetch(r *http.Request, _ int64) (*http.Response, error) {
	if r.URL.Host != golden.CDN {
		return nil, errForbidden{}
	}
	status, body := golden.Fetch(r.URL.Host, r.URL.Path, r.Header.Get("Authorization"))
	return &http.Response{StatusCode: status, Status: http.StatusText(status), Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(body))}, nil
}

// errForbidden is an address that may not be reached.
type errForbidden struct{}

func (errForbidden) Error() string { return "forbidden" }
func (errForbidden) Final() bool   { return true }

// linkPreview is what the pages of the tests are about.
func linkPreview(url string) *kabar.Preview {
	if !strings.HasPrefix(url, "https://"+golden.Pages+"/") {
		return nil
	}
	return &kabar.Preview{URL: url, Title: "Warung", Description: "Open every day"}
}
