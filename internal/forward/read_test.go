package forward

import (
	"strings"
	"testing"
)

// FuzzRead: whatever a server sends, it is read or said to be wrong; no event comes without a cursor.
func FuzzRead(f *testing.F) {
	f.Add("retry: 1000\n\nid: 1\n\nid: 2\ndata: {}\n\n")
	f.Add("data\n\nid: \n\n\r\nid: 2\ndata: [\n\n")
	f.Add(": beat\n\nid: 1\ndata: {\"body\":1,\"time\":\"x\"}\n\n")
	f.Fuzz(func(t *testing.T, text string) {
		blank := strings.Count(text, "\n")
		_ = read(strings.NewReader(text), func() {}, func(cursor string, _ *Entry) error {
			if blank--; cursor == "" || blank < 0 {
				t.Errorf("%q: an event without a cursor, or without an end", text)
			}
			return nil
		})
	})
}
