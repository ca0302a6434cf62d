package graph

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"strconv"

	"kabar"
	"kabar/internal/engine"
	"kabar/internal/media"
	"kabar/internal/store"
	"kabar/internal/web"
)

// Limits of media.
const (
	maxFormPad = 1 << 20 // of a form beside its file
	maxValue   = 4 << 10 // of a value in a form
)

// mediaForm is an upload on its way in: the values before the file, and those behind it, which are read when the file ends.
type mediaForm struct {
	form   *multipart.Reader
	values url.Values
	file   io.Reader
	mime   string
	name   string
}

// upload: POST /{number}/media stores the file of a form (contract 1.4). The order of its parts does not matter: what stands
// behind the file is read before anything is committed.
func (a *API) upload(x *exchange, n *kabar.Number) error {
	once, err := engine.NewOnce(Prefix+"media", x.r.Header.Values("Idempotency-Key"))
	if err != nil {
		return err
	}
	kind, params, err := mime.ParseMediaType(x.r.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/form-data" {
		return kabar.Refuse(kabar.ReasonInvalid, "Content-Type", "send the file as multipart/form-data")
	}
	f := &mediaForm{form: multipart.NewReader(web.Body(x.w, x.r, media.CloudUploadMax+maxFormPad), params["boundary"]), values: x.r.URL.Query()}
	if err := f.next(); err != nil {
		web.Drain(x.w, x.r)
		return err
	}
	if f.file == nil {
		return kabar.Refuse(kabar.ReasonMissing, "file", "The parameter file is required: the part with the bytes")
	}
	done, err := a.engine.PutMedia(x.r.Context(), n.ID, engine.Upload{Body: f, MIME: f.mime, Filename: f.name, Max: media.CloudUploadMax}, once,
		func(m *store.Medium) (int, []byte, error) {
			body, err := web.Encode(map[string]string{"id": a.nodeID(int64(m.ID))})
			return http.StatusOK, body, err
		})
	web.Pace(x.w, 0) // the time of the upload was its own
	if err != nil {
		web.Drain(x.w, x.r)
		return err
	}
	x.answer(done)
	return nil
}

// next reads values up to the next file, or to the end.
func (f *mediaForm) next() error {
	for {
		p, err := f.form.NextPart()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return formFault(err)
		}
		if p.FormName() == "file" && f.file == nil {
			f.file, f.mime, f.name = p, p.Header.Get("Content-Type"), p.FileName()
			if f.mime == "" || f.mime == "application/octet-stream" {
				f.mime = f.values.Get("type")
			}
			if f.name == "undefined" {
				f.name = ""
			}
			return nil
		}
		text, err := io.ReadAll(io.LimitReader(p, maxValue))
		if err != nil {
			return formFault(err)
		}
		f.values.Set(p.FormName(), string(text))
	}
}

// Read reads the file. At its end the rest of the form is looked at: a form that is refused there stores nothing.
func (f *mediaForm) Read(p []byte) (int, error) {
	n, err := f.file.Read(p)
	switch {
	case err == nil:
		return n, nil
	case !errors.Is(err, io.EOF):
		return n, formFault(err)
	}
	if err := f.next(); err != nil {
		return n, err
	}
	if err := checkProduct(f.values.Get("messaging_product")); err != nil {
		return n, err
	}
	return n, io.EOF
}

// mediumNode is a medium, with the number whose it is.
type mediumNode struct {
	*store.Medium
}

// mediumKind is a stored medium.
func (a *API) mediumKind() *kind {
	return kindOf(spec[mediumNode]{name: "WhatsAppBusinessMedia", defaults: []string{"messaging_product", "url", "mime_type", "sha256", "file_size"},
		find: a.mediumOf, remove: a.removeMedium,
		fields: map[string]func(*exchange, mediumNode, Field) (any, error){
			"id":                plain(func(m mediumNode) any { return a.nodeID(int64(m.ID)) }),
			"messaging_product": plain(func(mediumNode) any { return "whatsapp" }),
			"mime_type":         plain(func(m mediumNode) any { return m.MIME }),
			"sha256":            plain(func(m mediumNode) any { return m.SHA256 }),
			"file_size":         plain(func(m mediumNode) any { return strconv.FormatInt(m.Size, 10) }),
			"url":               func(x *exchange, m mediumNode, _ Field) (any, error) { return a.mediumURL(x, m), nil },
		}})
}

// mediumOf finds a medium of one of the numbers of whoever asks; phone_number_id, if it is there, must be the one.
func (a *API) mediumOf(x *exchange, key int64) (mediumNode, error) {
	wanted := x.r.URL.Query().Get("phone_number_id")
	for _, n := range a.numbers(x) {
		if wanted != "" && wanted != a.nodeID(int64(n.ID)) {
			continue
		}
		m, err := a.store.Medium(x.r.Context(), n.ID, kabar.MediaID(key))
		if err == nil {
			return mediumNode{m}, nil
		}
		if !isNone(err) {
			return mediumNode{}, store.Refusal(err)
		}
	}
	return mediumNode{}, errNone()
}

func (a *API) removeMedium(x *exchange, m mediumNode) error {
	if err := a.engine.RemoveMedium(x.r.Context(), m.Number, m.ID); err != nil {
		return err
	}
	return x.success()
}

// mediumURL leads to the bytes of a medium.
func (a *API) mediumURL(x *exchange, m mediumNode) string {
	link := a.briefLink(x, mediumLink, url.Values{"mid": {a.nodeID(int64(m.ID))}, "nid": {a.nodeID(int64(m.Number))}}, a.now().Add(linkLife))
	return link
}

// download: GET /whatsapp_business/attachments answers the bytes; it understands ranges.
func (a *API) download(x *exchange) error {
	q, ok := a.followed(x, mediumLink, "mid", "nid")
	if !ok {
		return gone("the medium")
	}
	medium, _ := a.nodeKey(q.Get("mid"))
	number, _ := a.nodeKey(q.Get("nid"))
	m, r, err := a.engine.Medium(x.r.Context(), kabar.NumberID(number), kabar.MediaID(medium))
	if isNone(err) {
		return gone("the medium")
	}
	if err != nil {
		return err
	}
	defer func() { _ = r.Close() }() // read only
	web.Pace(x.w, m.Size)
	media.ServeHeaders(x.w.Header(), m.MIME, m.Filename)
	x.w.Header().Set("ETag", fmt.Sprintf("%q", m.SHA256))
	http.ServeContent(x.w, x.r, "", m.Created, r)
	return nil
}
