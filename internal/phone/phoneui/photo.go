package phoneui

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/url"
	"time"
)

// Photo is the address of the business's picture; empty while there is none. It changes with the picture.
func (h *handset) Photo() string {
	if len(h.Business.Profile.Photo) == 0 {
		return ""
	}
	sum := sha256.Sum256(h.Business.Profile.Photo)
	return fmt.Sprintf("/c/%s/photo?v=%x", url.PathEscape(h.WaID), sum[:4])
}

// photo answers the picture that a business has sent with its profile. Whatever the bytes are, they are shown as a picture or
// not at all.
func (u *UI) photo(w http.ResponseWriter, r *http.Request) error {
	c, err := u.customer(r.Context(), r.PathValue("wa_id"))
	if err != nil {
		return err
	}
	h, err := u.handset(r.Context(), c)
	if err != nil {
		return err
	}
	if h.Photo() == "" {
		return errNotFound
	}
	w.Header().Set("Content-Type", "image/jpeg")
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(h.Business.Profile.Photo))
	return nil
}
