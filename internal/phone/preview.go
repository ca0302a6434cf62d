package phone

import (
	"bytes"
	"context"
	"net/http"
	"time"

	"kabar"
	"kabar/internal/media"
)

// PreviewImage returns the picture of a message's link preview: a small JPEG, if the business is honest.
func (p *Phone) PreviewImage(ctx context.Context, handle, id string) ([]byte, error) {
	m, err := p.Find(ctx, handle, id)
	if err != nil {
		return nil, err
	}
	text, ok := m.Content.(*kabar.Text)
	if !ok || m.Deleted || text.Preview == nil || len(text.Preview.Image) == 0 {
		return nil, refuse(CodeNotFound, "The message %.60q has no link preview with a picture.", id)
	}
	return text.Preview.Image, nil
}

func (p *Phone) getPreview(w http.ResponseWriter, r *http.Request) error {
	b, err := p.PreviewImage(r.Context(), r.PathValue("wa_id"), r.PathValue("id"))
	if err != nil {
		return err
	}
	media.ServeHeaders(w.Header(), "image/jpeg", "preview.jpg")
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(b))
	return nil
}
