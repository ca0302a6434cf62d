package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// phone makes a call of the phones' control API, below /api/customers/.
func (s *goldenServer) phone(method, path string, body, into any) {
	s.t.Helper()
	var text []byte
	if body != nil {
		var err error
		if text, err = json.Marshal(body); err != nil {
			s.t.Fatal(err)
		}
	}
	s.phoneBytes(method, path, "application/json", text, into)
}

func (s *goldenServer) phoneBytes(method, path, mime string, body []byte, into any) {
	s.t.Helper()
	address := strings.TrimSuffix("http://"+s.phones+"/api/customers/"+path, "/")
	r, err := http.NewRequestWithContext(s.t.Context(), method, address, bytes.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Content-Type", mime)
	res, err := plain.RoundTrip(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err == nil && into != nil {
		err = json.Unmarshal(text, into)
	}
	if err != nil || res.StatusCode >= http.StatusBadRequest {
		s.t.Fatalf("%s %s %s: %d %s %v", method, address, body, res.StatusCode, text, err)
	}
}

// handsetMessage is a message as its handset shows it.
type handsetMessage struct{ ID, Status string }

// shown returns a message of a handset; the zero value when it has none.
func (s *goldenServer) shown(who, id string) handsetMessage {
	s.t.Helper()
	var list struct{ Messages []handsetMessage }
	s.phone(http.MethodGet, url.PathEscape(who)+"/messages?limit=1000", nil, &list)
	if i := slices.IndexFunc(list.Messages, func(m handsetMessage) bool { return m.ID == id }); i >= 0 {
		return list.Messages[i]
	}
	return handsetMessage{}
}
