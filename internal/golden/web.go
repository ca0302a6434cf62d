package golden

import (
	"net/http"
	"strings"
)

// The hosts that links in files lead to.
const (
	CDN   = "cdn.example"   // media
	Pages = "pages.example" // pages with a preview
	Lost  = "nowhere.example"
)

// Fetch is what the hosts answer to a GET with the given Authorization: cdn.example/NAME gives the sample NAME; below /basic/
// and /bearer/ it wants the credentials of the files. Pages are about a shop.
func Fetch(host, path, authorization string) (status int, body []byte) {
	if host == Pages {
		return http.StatusOK, []byte(`<html><head><meta property="og:title" content="Warung"><meta property="og:description" content="Open every day"></head></html>`)
	}
	want, name, found := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	if !found {
		want, name = "", want
	}
	switch {
	case want == "basic" && authorization != "Basic YWRhOnNlY3JldA==", want == "bearer" && authorization != "Bearer tok-1", want == "" && authorization != "":
		return http.StatusUnauthorized, nil
	case host != CDN, Sample(name) == nil:
		return http.StatusNotFound, nil
	}
	return http.StatusOK, Sample(name)
}
