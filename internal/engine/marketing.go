package engine

import "kabar"

// checkMarketing tells apart what is sent as marketing and what is not: a GIF is sent so only.
func (r *Request) checkMarketing() error {
	if r.Marketing {
		return asMarketing(r.Content)
	}
	t, ok := r.Content.(*kabar.Template)
	if ok && t.Rendered.Header != nil && t.Rendered.Header.Media != nil && t.Rendered.Header.Media.GIF {
		return kabar.Refuse(kabar.ReasonTemplateMedia, "template.name", "a template with a GIF header cannot be sent here, only through marketing_messages of the Cloud API")
	}
	return nil
}

// asMarketing has a template billed as marketing of its own kind.
func asMarketing(c kabar.Content) error {
	t, ok := c.(*kabar.Template)
	switch {
	case !ok:
		return kabar.Refuse(kabar.ReasonNotTemplate, "type", "is %q, only templates are sent as marketing", c.Kind())
	case t.Category != kabar.CategoryMarketing:
		return kabar.Refuse(kabar.ReasonNotMarketing, "template.name", "%q is of the category %s", t.Name, t.Category)
	}
	t.Category = kabar.CategoryMarketingLite
	return nil
}
