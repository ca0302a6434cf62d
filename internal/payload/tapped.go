package payload

import "kabar"

// checkTapped wants a place that a button of a template can have. Whether there is one, and a link, knows who has the message.
func checkTapped(t *kabar.LinkTap) error {
	switch {
	case t.Card < 0 || t.Card > kabar.MaxCards:
		return malformed("card %d, at most %d", t.Card, kabar.MaxCards)
	case t.Button < 0 || t.Button >= kabar.MaxTemplateButtons:
		return malformed("button %d, at most %d", t.Button, kabar.MaxTemplateButtons-1)
	}
	return checkIDs([]string{t.ID, t.Message})
}
