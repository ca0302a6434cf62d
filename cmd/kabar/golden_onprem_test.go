package main

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"kabar/internal/golden"
)

// onPremGolden is the On-Premises API.
func onPremGolden() goldenDialect {
	return goldenDialect{
		folder:  "../../internal/onprem/testdata",
		speaks:  func(path string) bool { return strings.HasPrefix(path, "/v1/") },
		accepts: func(path string, status int) bool { return path == "/v1/messages" && status == http.StatusCreated },
		call:    func(*goldenMould, *golden.Names) {},
		fill: func(m *goldenMould, request string) string {
			return strings.ReplaceAll(request, basic("fresh", golden.Password), basic("fresh", m.fresh))
		},
		identify: func(m *goldenMould, q *golden.Request) error { return q.Identify(m.key, m.tokens) },
		check:    golden.CheckHeaders,
		hash: func(m *goldenMould, s *goldenServer, wa string) string {
			var answer struct{ Contacts struct{ Hash string } }
			s.readAs(m.tokens["user"], "/v1/contacts/"+wa+"/identity", &answer)
			return answer.Contacts.Hash
		},
		connected: func(m *goldenMould, s *goldenServer, want bool) error {
			if status := s.health(m.tokens["user"]); (status == "connected") != want {
				return errors.New(status)
			}
			return nil
		},
		webhook: func(m *goldenMould, url string) (*http.Request, error) {
			body := fmt.Sprintf(`{"webhooks":{"url":%q}}`, url)
			r, err := http.NewRequest(http.MethodPatch, "/v1/settings/application", strings.NewReader(body))
			if err == nil {
				r.Header.Set("Authorization", "Bearer "+m.tokens["admin"])
			}
			return r, err
		},
		split:   splitOnPrem,
		crafted: onPremCrafted(), // and all of its files are played
	}
}

// onPremCrafted are the files in which customers, or the network, do what the product's phones and relay do not.
func onPremCrafted() map[string]craftedFor {
	return map[string]craftedFor{
		"account_code":            {"do", "registration ", "the relay admits whoever asks"},
		"failures":                {"do", "refuse undeliverable", "no relay refuses so at will, nor does a person see when it has learnt of a block"},
		"health_unregistered":     {"do", "registration ", "the relay admits whoever asks"},
		"hidden_number_shown":     {"inbound", `"BSUID":"ES.abc123","WaID"`, "a phone that hides its number does so for ever"},
		"identity_unacknowledged": {"do", "identity ", "new keys are told by a phone's next message"},
		"inbound_context_lost":    {"inbound", `"ReplyTo":"0011`, "a phone quotes messages that it has"},
		"inbound_media_lost":      {"inbound", `"Broken":true`, "a phone sends what it says that it sends"},
		"inbound_referral_media":  {"inbound", `"Kind":"image"`, "a phone comes from an ad with a text"},
		"nameless":                {"inbound", `"WaID":"34600111333","Kind"`, "a phone has a name"},
		"number_changed":          {"inbound", `"Identity":"h2"`, "no phone claims another's number"},
		"played":                  {"do", "played ", "a phone tells nobody what it has played"},
	}
}

// splitOnPrem takes a body apart into its messages, each with who wrote it, and its statuses.
func splitOnPrem(body []byte) (events [][]byte, err error) {
	var all struct {
		Contacts []map[string]any
		Messages []map[string]any
		Statuses []map[string]any
	}
	if err := json.Unmarshal(body, &all); err != nil {
		return nil, err
	}
	add := func(event map[string]any) {
		events = append(events, []byte(pretty(event)))
	}
	for _, m := range all.Messages {
		event := map[string]any{"messages": []any{m}}
		for _, c := range all.Contacts {
			if c["wa_id"] == m["from"] {
				event["contacts"] = []any{c}
			}
		}
		add(event)
	}
	for _, s := range all.Statuses {
		add(map[string]any{"statuses": []any{s}})
	}
	return events, nil
}

func basic(user, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
}
