package graph

import (
	"strings"

	"kabar"
)

// templateNews returns the field and the value of the webhook that tells of a change of a template (contract, section 2.3).
func templateNews(c *kabar.TemplateChange) (field string, value map[string]any) {
	value = map[string]any{"message_template_id": int64(c.ID), "message_template_name": c.Name, "message_template_language": c.Language}
	switch c.Kind {
	case kabar.NewsQuality:
		value["previous_quality_score"], value["new_quality_score"] = c.Before, c.Score
		return "message_template_quality_update", value
	case kabar.NewsComponents:
		describe(value, c.Components)
		return "message_template_components_update", value
	case kabar.NewsCategory:
		value["new_category"] = c.Category.Graph()
		if c.Correct != "" { // it will happen
			value["correct_category"], value["category_update_timestamp"] = c.Correct.Graph(), c.At.Unix()
		} else {
			value["previous_category"] = c.Previous.Graph()
		}
		return "template_category_update", value
	case kabar.NewsStatus:
	}
	value["event"], value["message_template_category"] = c.Event, c.Category.Graph()
	value["reason"] = string(kabar.RejectedNone)
	if c.Reason != "" {
		value["reason"] = c.Reason
	}
	if c.Reason == kabar.RejectedFormat {
		value["rejection_info"] = map[string]any{"reason": c.Advice, "recommendation": c.Advice}
	}
	if c.Title != "" {
		value["other_info"] = map[string]any{"title": c.Title, "description": c.Description}
	}
	if c.Status == kabar.TemplateDisabled {
		value["disable_info"] = map[string]any{"disable_date": c.At.Unix()}
	}
	return "message_template_status_update", value
}

// describe shows the components of an edited template.
func describe(value map[string]any, parts []kabar.TemplateComponent) {
	for _, c := range parts {
		switch c.Type {
		case kabar.TemplateHeader:
			if c.Text != "" {
				value["message_template_title"] = c.Text
			}
		case kabar.TemplateBody:
			value["message_template_element"] = c.Text
		case kabar.TemplateFooter:
			value["message_template_footer"] = c.Text
		case kabar.TemplateButtons:
			buttons := []map[string]any{}
			for _, b := range c.Buttons {
				shown := map[string]any{"message_template_button_type": strings.ToUpper(string(b.Type)), "message_template_button_text": b.Text}
				if b.URL != "" {
					shown["message_template_button_url"] = b.URL
				}
				if b.Phone != "" {
					shown["message_template_button_phone_number"] = b.Phone
				}
				buttons = append(buttons, shown)
			}
			value["message_template_buttons"] = buttons
		}
	}
}
