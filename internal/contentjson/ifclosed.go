package contentjson

import (
	"errors"

	"kabar"
)

// IfClosed reads the object if_window_closed, which is the product's own: the template that is sent when the window is closed.
func IfClosed[M any](template *Template[M], media Media[M]) (*kabar.Template, error) {
	const field = "if_window_closed"
	if template == nil {
		return nil, kabar.Refuse(kabar.ReasonMissing, field+".template", "is required: what is sent when the window is closed")
	}
	c, err := template.Content(media)
	if refused, ok := errors.AsType[*kabar.Error](err); ok {
		below := *refused
		below.Field = field + "." + refused.Field
		return nil, &below
	}
	t, _ := c.(*kabar.Template)
	return t, err
}
