package onprem

import (
	"slices"
	"unicode/utf8"

	"kabar"
	"kabar/internal/contentjson"
)

// interactive reads an interactive message. What only the Cloud API has is refused: some types, longer lists, and flows by name
// or as drafts.
func (d decoder) interactive(o *contentjson.Interactive[mediaObject]) (kabar.Content, error) {
	if allowed, t := kabar.InteractiveTypes(false), kabar.InteractiveType(o.Type); t != "" && !slices.Contains(allowed, t) {
		return nil, kabar.Refuse(kabar.ReasonInvalid, "interactive.type", "is %q, allowed are %s", t, kabar.WordsOf(allowed))
	}
	c, err := o.Content(d.media)
	if err != nil {
		return nil, err
	}
	i, ok := c.(*kabar.Interactive)
	if !ok {
		return c, nil
	}
	const flow = "interactive.action.parameters"
	if n := utf8.RuneCountInString(i.Body); n > kabar.MaxInteractiveBody {
		return nil, kabar.Refuse(kabar.ReasonInvalid, "interactive.body.text", "has %d characters, the limit is %d", n, kabar.MaxInteractiveBody)
	}
	if f := i.Action.Flow; f != nil && f.Name != "" {
		return nil, kabar.Refuse(kabar.ReasonInvalid, flow+".flow_name", "is not known here: name the flow by its flow_id")
	} else if f != nil && f.Draft {
		return nil, kabar.Refuse(kabar.ReasonInvalid, flow+".mode", "is not known here")
	}
	return i, nil
}
