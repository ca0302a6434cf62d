package onprem

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"
	"unicode"
	"unicode/utf8"

	"kabar"
	"kabar/internal/engine"
	"kabar/internal/media"
	"kabar/internal/store"
	"kabar/internal/web"
)

// upload: POST /v1/media stores the raw body (contract 1.6). Content-Type declares what it is; a file name may come in
// Content-Disposition.
func (a *API) upload(x *exchange) error {
	once, err := engine.NewOnce(Prefix+"media", x.r.Header.Values("Idempotency-Key"))
	if err != nil {
		return err
	}
	declared := x.r.Header.Get("Content-Type")
	switch {
	case strings.HasPrefix(strings.ToLower(declared), "multipart/"):
		return kabar.Refuse(kabar.ReasonInvalid, "Content-Type", "send the bytes of the medium as the body, not a form")
	case x.r.ContentLength > media.UploadMax:
		web.Drain(x.w, x.r)
		return kabar.Refuse(kabar.ReasonTooLarge, "", "a medium may have %d MB", media.UploadMax>>20)
	}
	u := engine.Upload{Body: source{web.Body(x.w, x.r, media.UploadMax)}, MIME: declared, Filename: filename(x.r.Header)}
	sent, err := a.engine.PutMedia(x.r.Context(), x.number(), u, once, func(m *store.Medium) (int, []byte, error) {
		body, err := x.encode("media", []created{{a.MediaID(m.ID)}})
		return http.StatusCreated, body, err
	})
	web.Pace(x.w, 0) // the time of the upload was its own
	if err != nil {
		web.Drain(x.w, x.r)
		return err
	}
	x.answer(sent)
	return nil
}

// source makes a body that breaks off the client's fault; without it the error would look like one of the disk.
type source struct{ body io.Reader }

func (b source) Read(p []byte) (int, error) {
	n, err := b.body.Read(p)
	if err == nil || errors.Is(err, io.EOF) || web.Fault(err) != nil {
		return n, err
	}
	return n, kabar.Refuse(kabar.ReasonMalformed, "", "the body broke off")
}

// filename returns the name in Content-Disposition without folders and control characters; "" for none.
func filename(h http.Header) string {
	_, params, err := mime.ParseMediaType(h.Get("Content-Disposition"))
	if err != nil {
		return ""
	}
	name := params["filename"]
	name = strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, name[strings.LastIndexAny(name, `/\`)+1:])
	if r := []rune(name); len(r) > maxFilename {
		name = string(r[:maxFilename])
	}
	return name
}

// maxFilename is the longest name that is kept, in characters.
const maxFilename = 240

// download: GET /v1/media/{id} answers the bytes; it understands ranges.
func (a *API) download(x *exchange) error {
	id, err := a.mediumOf(x)
	if err != nil {
		return err
	}
	m, r, err := a.engine.Medium(x.r.Context(), x.number(), id)
	if err != nil {
		return err
	}
	defer func() { _ = r.Close() }() // read only
	web.Pace(x.w, m.Size)
	media.ServeHeaders(x.w.Header(), m.MIME, m.Filename)
	x.w.Header().Set("ETag", `"`+m.SHA256+`"`)
	http.ServeContent(x.w, x.r, "", m.Created, r)
	return nil
}

// remove: DELETE /v1/media/{id}.
func (a *API) remove(x *exchange) error {
	id, err := a.mediumOf(x)
	if err != nil {
		return err
	}
	if err := a.engine.RemoveMedium(x.r.Context(), x.number(), id); err != nil {
		return err
	}
	return x.done()
}

// mediumOf reads the id in the path.
func (a *API) mediumOf(x *exchange) (kabar.MediaID, error) {
	id, ok := a.medium(x.r.PathValue("id"))
	if !ok {
		return 0, kabar.Refuse(kabar.ReasonNotFound, "", "there is no medium with this id")
	}
	return id, nil
}
