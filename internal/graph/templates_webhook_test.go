package graph

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"kabar"
)

func TestTemplateNews(t *testing.T) {
	at := time.Unix(1_900_000_000, 0)
	base := kabar.TemplateChange{ID: 1234567890123456, Name: "parcel", Language: "en", Category: kabar.CategoryUtility, Status: kabar.TemplateApproved}
	const head = `"message_template_id":1234567890123456,"message_template_language":"en","message_template_name":"parcel"`
	for name, tt := range map[string]struct {
		change func(c *kabar.TemplateChange)
		field  string
		want   string
	}{
		"approved": {func(c *kabar.TemplateChange) { c.Kind, c.Event = kabar.NewsStatus, "APPROVED" }, "message_template_status_update",
			`{"event":"APPROVED","message_template_category":"UTILITY",` + head + `,"reason":"NONE"}`},
		"rejected": {func(c *kabar.TemplateChange) {
			c.Kind, c.Event, c.Status, c.Reason, c.Advice = kabar.NewsStatus, "REJECTED", kabar.TemplateRejected, kabar.RejectedFormat, "Say who."
		}, "message_template_status_update", `{"event":"REJECTED","message_template_category":"UTILITY",` + head +
			`,"reason":"INVALID_FORMAT","rejection_info":{"reason":"Say who.","recommendation":"Say who."}}`},
		"paused": {func(c *kabar.TemplateChange) {
			c.Kind, c.Event, c.Status, c.Title, c.Description = kabar.NewsStatus, "PAUSED", kabar.TemplatePaused, kabar.TitleFirstPause, "Bad."
		}, "message_template_status_update", `{"event":"PAUSED","message_template_category":"UTILITY",` + head +
			`,"other_info":{"description":"Bad.","title":"FIRST_PAUSE"},"reason":"NONE"}`},
		"disabled": {func(c *kabar.TemplateChange) {
			c.Kind, c.Event, c.Status, c.At = kabar.NewsStatus, "DISABLED", kabar.TemplateDisabled, at
		}, "message_template_status_update", `{"disable_info":{"disable_date":1900000000},"event":"DISABLED","message_template_category":"UTILITY",` + head + `,"reason":"NONE"}`},
		"quality": {func(c *kabar.TemplateChange) {
			c.Kind, c.Before, c.Score = kabar.NewsQuality, kabar.ScoreGreen, kabar.ScoreRed
		}, "message_template_quality_update",
			`{` + head + `,"new_quality_score":"RED","previous_quality_score":"GREEN"}`},
		"category to come": {func(c *kabar.TemplateChange) {
			c.Kind, c.Correct, c.At = kabar.NewsCategory, kabar.CategoryMarketing, at
		}, "template_category_update",
			`{"category_update_timestamp":1900000000,"correct_category":"MARKETING",` + head + `,"new_category":"UTILITY"}`},
		"category changed": {func(c *kabar.TemplateChange) { c.Kind, c.Previous = kabar.NewsCategory, kabar.CategoryMarketing }, "template_category_update",
			`{` + head + `,"new_category":"UTILITY","previous_category":"MARKETING"}`},
		"components": {func(c *kabar.TemplateChange) {
			c.Kind, c.Components = kabar.NewsComponents, []kabar.TemplateComponent{{Type: "HEADER", Text: "Hi"}, {Type: "BODY", Text: "A"}, {Type: "FOOTER", Text: "F"},
				{Type: "BUTTONS", Buttons: []kabar.TemplateButton{{Type: "URL", Text: "Go", URL: "https://shop.example"}, {Type: "PHONE_NUMBER", Text: "Call", Phone: "+34"}}}}
		}, "message_template_components_update", `{"message_template_buttons":[{"message_template_button_text":"Go","message_template_button_type":"URL",` +
			`"message_template_button_url":"https://shop.example"},{"message_template_button_phone_number":"+34","message_template_button_text":"Call",` +
			`"message_template_button_type":"PHONE_NUMBER"}],"message_template_element":"A","message_template_footer":"F",` + head + `,"message_template_title":"Hi"}`},
	} {
		c := base
		tt.change(&c)
		field, value := templateNews(&c)
		got, err := json.Marshal(value)
		if field != tt.field || string(got) != tt.want || err != nil {
			t.Errorf("%s: %s\n got %s\nwant %s", name, field, got, tt.want)
		}
	}
}

// What becomes of a template is told as the account's, with the time of it.
func TestTemplateEventIsRendered(t *testing.T) {
	s := newTemplateServer(t)
	status, made, text := s.call("POST", s.waba+"/message_templates", parcel)
	if status != 200 {
		t.Fatalf("%d %s", status, text)
	}
	events, err := s.db.Events(t.Context(), s.n.ID, 0, 10)
	if err != nil || len(events) != 1 {
		t.Fatalf("%d events, %v", len(events), err)
	}
	body, wanted, err := s.api.Render(events[0], s.n, kabar.Settings{})
	want := fmt.Sprintf(`{"object":"whatsapp_business_account","entry":[{"id":%q,"time":%d,"changes":[{"value":{"event":"PENDING",`+
		`"message_template_category":"UTILITY","message_template_id":%s,"message_template_language":"en","message_template_name":"parcel",`+
		`"reason":"NONE"},"field":"message_template_status_update"}]}]}`, s.waba, events[0].At.Unix(), made["id"])
	if err != nil || !wanted || string(body) != want {
		t.Errorf("wanted %v, %v\n got %s\nwant %s", wanted, err, body, want)
	}
}
