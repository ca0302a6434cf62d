package graph

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
)

// TestAFormThatCannotBeRead: what is wrong is said for whoever sent it, in every route that takes a form.
func TestAFormThatCannotBeRead(t *testing.T) {
	e := newEnv(t)
	phone, account := strconv.FormatUint(e.db.Node(int64(e.a.ID)), 10), strconv.FormatUint(e.db.Node(int64(e.a.Account)), 10)
	trace, inner := regexp.MustCompile(`"fbtrace_id":"[^"]*"`), regexp.MustCompile("EOF|multipart:|MIME|tcp")
	part := "--x\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\nab"
	for name, tt := range map[string]struct {
		body string
		ends error // of who sends it
		want string
	}{
		"within a part":      {part, nil, "the form broke off"},
		"the client is gone": {part, io.ErrUnexpectedEOF, "the form broke off"},
		"the line is cut":    {part, errors.New("read tcp: reset"), "the form broke off"},
		"no header":          {"--x\r\nnonsense\r\n\r\nab\r\n--x--\r\n", nil, "the form cannot be read: "},
	} {
		for path, token := range map[string]string{phone + "/messages": "messaging", phone + "/media": "messaging", account + "/flows": "management"} {
			body := io.Reader(strings.NewReader(tt.body))
			if tt.ends != nil {
				body = io.MultiReader(body, iotest.ErrReader(tt.ends))
			}
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/v23.0/"+path, body)
			r.Header.Set("Authorization", "Bearer "+e.tokens[token])
			r.Header.Set("Content-Type", "multipart/form-data; boundary=x")
			w := httptest.NewRecorder()
			e.mux.ServeHTTP(w, r)
			text := trace.ReplaceAllString(w.Body.String(), "") // made by chance: it may spell anything
			if w.Code != http.StatusBadRequest || !strings.Contains(text, tt.want) || inner.MatchString(text) {
				t.Errorf("%s: %s: %d %s", name, path, w.Code, text)
			}
		}
	}
}
