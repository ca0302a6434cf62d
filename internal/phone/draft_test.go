package phone

import (
	"errors"
	"testing"

	"kabar"
	"kabar/internal/payload"
	"kabar/internal/web"
)

// Whatever a client posts is either refused with a sentence or makes a content that can travel.
func FuzzDraft(f *testing.F) {
	for _, body := range []string{
		`{"text":{"body":"a"}}`, `{"type":"image","image":{"id":"x","caption":"c"}}`, `{"type":"voice","voice":{"id":"x"}}`,
		`{"type":"location","location":{"latitude":1,"longitude":-1}}`, `{"type":"reaction","reaction":{"message_id":"x","emoji":"👍"}}`,
		`{"type":"interactive","interactive":{"type":"list_reply","list_reply":{"id":"a","title":"b"}}}`, `{"type":"unsupported"}`,
		`{"type":"button","button":{"text":"a","payload":"b"},"forwarded":true}`, `{"text":null}`, `[]`, `{"type":"text","text":{"body":"\u0000"}}`,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var j draftJSON
		if web.Decode(body, &j, web.Options{Unknown: web.RefuseAll}) != nil {
			return
		}
		d, err := j.draft()
		var refusal *Error
		if err != nil {
			if !errors.As(err, &refusal) || refusal.Message == "" {
				t.Errorf("refused with %v", err)
			}
			return
		}
		raw, err := payload.Strip(d.Content)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := kabar.DecodeContent(d.Content.Kind(), raw); err != nil {
			t.Error(err)
		}
	})
}
