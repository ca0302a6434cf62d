package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"kabar/internal/golden"
)

// goldenCloud is what the Cloud API of a mould knows: tokens by who asks, and the ids that files have names for.
type goldenCloud struct {
	tokens map[string]string
	ids    map[string]string // by name
	app    cloudAccess
}

// newGoldenCloud makes the tokens and asks for the ids. The server runs.
func newGoldenCloud(m *goldenMould) goldenCloud {
	m.t.Helper()
	const messaging, management = "whatsapp_business_messaging", "whatsapp_business_management"
	c := goldenCloud{tokens: map[string]string{}, ids: map[string]string{}}
	for who, key := range map[string]struct{ account, scopes string }{"user": {"Warung", messaging + "," + management}, "other": {"Toko", messaging + "," + management},
		"messaging": {"Warung", messaging}, "management": {"Warung", management}} {
		c.tokens[who] = m.newKey("--account", key.account, "--scopes", key.scopes)
	}
	c.tokens["expired"] = m.expiredKey("--account", "Warung", "--scopes", messaging)
	ask := func(who, path string) string {
		var list struct{ ID string }
		var page struct{ Data []struct{ ID string } }
		if path == "/v23.0/me" {
			m.readAs(c.tokens[who], path, &list)
			return list.ID
		}
		m.readAs(c.tokens[who], path, &page)
		if len(page.Data) != 1 {
			m.t.Fatalf("%s: %v", path, page)
		}
		return page.Data[0].ID
	}
	c.ids["<user>"] = ask("user", "/v23.0/me")
	for who, names := range map[string][2]string{"user": {"<waba>", "<phone>"}, "other": {"<foreign>", "<theirs>"}} {
		c.ids[names[0]] = ask(who, "/v23.0/"+c.ids["<user>"]+"/assigned_whatsapp_business_accounts")
		c.ids[names[1]] = ask(who, "/v23.0/"+c.ids[names[0]]+"/phone_numbers")
	}
	return c
}

// expiredKey makes a key, and waits until it has ended.
func (m *goldenMould) expiredKey(args ...string) string {
	m.t.Helper()
	key := m.newKey(append(args, "--expires", "1s")...)
	m.retry("the key to end", func() error {
		r, err := http.NewRequestWithContext(m.t.Context(), http.MethodGet, "/v23.0/me", nil)
		if err != nil {
			return err
		}
		r.Header.Set("Authorization", "Bearer "+key)
		if status, _, body, err := m.ask(r); err != nil || status != http.StatusUnauthorized {
			return fmt.Errorf("%d %s %w", status, body, err)
		}
		return nil
	})
	return key
}

// readSecret has kabar dev tell the secret of the app, over a copy of the mould.
func (c *goldenCloud) readSecret(m *goldenMould) {
	m.t.Helper()
	s := m.pour(m.t, true)
	text, err := os.ReadFile(filepath.Join(s.dir, "ready.json"))
	var ready struct{ Cloud cloudAccess }
	if err == nil {
		err = json.Unmarshal(text, &ready)
	}
	if err != nil {
		m.t.Fatal(err)
	}
	s.stop()
	c.app = ready.Cloud
	c.ids["<app>"], c.ids["<business>"], c.ids["<secret>"] = c.app.AppID, c.app.Business, c.app.AppSecret
	c.tokens["app"] = c.app.AppID + "|" + c.app.AppSecret
}

// cloudGolden is the Cloud API. Its files may call /v1, too.
func cloudGolden() goldenDialect {
	twin := onPremGolden()
	return goldenDialect{
		folder: "../../internal/graph/testdata", cloud: true, twin: &twin,
		speaks: func(path string) bool { return !twin.speaks(path) },
		accepts: func(path string, status int) bool {
			return strings.HasSuffix(path, "/messages") && status == http.StatusOK
		},
		fill: func(_ *goldenMould, request string) string { return request },
		call: func(m *goldenMould, names *golden.Names) {
			for name, id := range m.cloud.ids {
				names.Call(id, name)
			}
			for who, token := range m.cloud.tokens {
				if who != "app" {
					names.Call(token, "<key"+who+">")
				}
			}
		},
		identify: func(m *goldenMould, q *golden.Request) error { return q.Identify("", m.cloud.tokens) },
		check:    func(path string, _ int, header http.Header) error { return golden.CheckCloudHeaders(path, header) },
		hash:     twin.hash, connected: twin.connected,
		webhook: func(m *goldenMould, url string) (*http.Request, error) {
			body, err := json.Marshal(map[string]string{"object": "whatsapp_business_account", "callback_url": url, "verify_token": "v", "fields": "messages"})
			if err != nil {
				return nil, err
			}
			r, err := http.NewRequest(http.MethodPost, "/v23.0/"+m.cloud.app.AppID+"/subscriptions", strings.NewReader(string(body)))
			if err == nil {
				r.Header.Set("Authorization", "Bearer "+m.cloud.tokens["app"])
				r.Header.Set("Content-Type", "application/json")
			}
			return r, err
		},
		crafted: cloudCrafted(),
	}
}

// cloudCrafted are the files in which customers, or the network, do what the product's phones and relay do not.
func cloudCrafted() map[string]craftedFor {
	return map[string]craftedFor{
		"inbound_media_lost": {"inbound", `"Broken": true`, "a phone sends what it says that it sends"},
		"register_code":      {"do", "registration ", "the relay admits whoever asks"},
	}
}
