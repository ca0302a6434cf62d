package phone_test

import (
	"net/http"
	"strings"
	"testing"

	"kabar"
)

// A preview arrives with its text and is kept within its bounds, whatever the business sends; its picture is served as one.
func TestPreviews(t *testing.T) {
	h, b := together(t)
	ana := h.customer("Ana")
	get := func(id string) (int, http.Header) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, h.api.URL+"/api/customers/"+ana+"/messages/"+id+"/preview", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		return res.StatusCode, res.Header
	}
	for body, p := range map[string]*kabar.Preview{
		"whole":   {URL: "https://example.com/", Title: "Warung", Description: "Nasi", Image: []byte("\xff\xd8a JPEG")},
		"long":    {URL: "https://example.com/", Title: strings.Repeat("x", 5000), Image: make([]byte, kabar.MaxPreviewImage+1)},
		"hostile": {URL: "javascript:alert(1)", Title: "x"},
	} {
		b.say(ana, &kabar.Text{Body: body, Preview: p})
		m := h.expectText(ana, body)
		shown, _ := m["text"].(map[string]any)["preview"].(map[string]any)
		status, head := get(m["id"].(string))
		switch body {
		case "whole":
			if shown["title"] != "Warung" || shown["url"] != p.URL || shown["image"] != true || status != 200 || head.Get("Content-Type") != "image/jpeg" ||
				head.Get("X-Content-Type-Options") != "nosniff" {
				t.Errorf("%s: %v, %d %v", body, shown, status, head)
			}
		case "long":
			if title := shown["title"].(string); len(title) > 4*kabar.MaxPreviewTitle || shown["image"] != false || status != 404 {
				t.Errorf("%s: %v, %d", body, shown, status)
			}
		default:
			if shown != nil || status != 404 {
				t.Errorf("%s: %v, %d", body, shown, status)
			}
		}
	}
}
