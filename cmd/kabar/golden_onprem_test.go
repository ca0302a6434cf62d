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
			var answer struct {
				Health struct {
					Status string `json:"gateway_status"`
				}
			}
			if s.readAs(m.tokens["user"], "/v1/health", &answer); (answer.Health.Status == "connected") != want {
				return errors.New(answer.Health.Status)
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
		split:    splitOnPrem,
		unplayed: onPremUnplayed(), most: 14,
	}
}

// onPremUnplayed are the files that are played by the tests of internal/onprem alone.
func onPremUnplayed() map[string]unplayable {
	return map[string]unplayable{
		"account_code":            {"do", "registration ", "the relay of the player admits whoever asks; the script relay_private has one that does not"},
		"failures":                {"do", "refuse undeliverable", "no relay refuses so at will, nor does a person see when it has learnt of a block"},
		"health_disconnected":     {"do", "advance 1m", "the relay of kabar dev, which has the clock, does not end before it"},
		"health_unregistered":     {"do", "registration ", "the relay of the player admits whoever asks"},
		"hidden_number_shown":     {"inbound", `"BSUID":"ES.abc123","WaID"`, "a handset that hides its number does so for ever"},
		"identity_unacknowledged": {"do", "identity ", "new keys are told by the next message, and the relay of kabar dev does not end before it"},
		"inbound_context_lost":    {"inbound", `"ReplyTo":"0011`, "a handset quotes messages that it has"},
		"inbound_referral_media":  {"inbound", `"Kind":"image"`, "a handset comes from an ad with a text"},
		"inbound_media_lost":      {"inbound", `"Broken":true`, "a relay gives what it was given"},
		"nameless":                {"inbound", `"WaID":"34600111333","Kind"`, "a handset has a name"},
		"number_changed":          {"inbound", `"Identity":"h2"`, "no handset claims another's number"},
		"played":                  {"do", "played ", "a handset tells nobody what it has played"},
		"stats":                   {"response", `"node": "node-1"`, "requests have been made before, and take their time"},
		"store_full":              {"do", "busy", "thousands of writes would have to wait at the same time"},
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
