package graph

import (
	"crypto/hmac"
	"encoding/base64"
	"encoding/hex"
	"io"
	"strconv"
	"strings"

	"kabar"
	"kabar/internal/media"
	"kabar/internal/store"
	"kabar/internal/web"
)

// What the ids of upload sessions, and the handles of the files that they make, begin with.
const (
	uploadPrefix     = "upload:"
	fileHandlePrefix = "4::"
)

// beginUpload: POST /{app}/uploads. The file is one of the first number of whoever asks.
func (a *API) beginUpload(x *exchange, _ *store.App) error {
	var in struct {
		Name   string          `json:"file_name"`
		Length web.StringOrInt `json:"file_length"`
		Type   string          `json:"file_type"`
	}
	if err := x.decode(&in); err != nil {
		return err
	}
	switch {
	case in.Type == "":
		return kabar.Refuse(kabar.ReasonMissing, "file_type", "is required: such as image/png")
	case in.Length == "":
		return kabar.Refuse(kabar.ReasonMissing, "file_length", "is required: how many bytes the file has")
	}
	length, err := in.Length.Int64()
	if err != nil {
		return kabar.Refuse(kabar.ReasonInvalid, "file_length", "is %q, and must be a whole number", clip(string(in.Length)))
	}
	mine := a.numbers(x)
	if len(mine) == 0 {
		return kabar.Refuse(kabar.ReasonDenied, "", "this token has no number")
	}
	u, err := a.engine.BeginUpload(x.r.Context(), mine[0].ID, in.Name, strings.ToLower(in.Type), length)
	if err != nil {
		return err
	}
	return x.reply(map[string]string{"id": a.uploadID(u)})
}

// uploadKind is an upload in parts: POST /{id} brings bytes, GET /{id} says how many have come.
func (a *API) uploadKind() *kind {
	return kindOf(spec[*store.UploadSession]{name: "UploadSession", defaults: []string{"file_offset"},
		find: a.uploadOf, update: a.continueUpload,
		fields: map[string]func(*exchange, *store.UploadSession, Field) (any, error){
			"id":          plain(func(u *store.UploadSession) any { return a.uploadID(u) }),
			"file_offset": plain(func(u *store.UploadSession) any { return u.Offset }),
		}})
}

// uploadOf finds an upload of whoever asks.
func (a *API) uploadOf(x *exchange, key int64) (*store.UploadSession, error) {
	for _, n := range a.numbers(x) {
		u, err := a.engine.UploadSession(x.r.Context(), n.ID, key)
		if !isNone(err) {
			return u, err
		}
	}
	return nil, errNone()
}

// continueUpload: POST /upload:… brings the bytes from the header file_offset on. The last ones are answered with a file handle.
func (a *API) continueUpload(x *exchange, u *store.UploadSession) error {
	var offset int64
	if text := x.r.Header.Get("file_offset"); text != "" {
		var err error
		if offset, err = strconv.ParseInt(text, 10, 64); err != nil || offset < 0 {
			return kabar.Refuse(kabar.ReasonInvalid, "file_offset", "is %q, and must be a whole number", clip(text))
		}
	}
	u, err := a.engine.ContinueUpload(x.r.Context(), u.Number, u.ID, offset, web.Body(x.w, x.r, media.UploadMax+1))
	web.Pace(x.w, 0) // the time of the upload was its own
	if err != nil {
		web.Drain(x.w, x.r)
		return err
	}
	if u.File == 0 {
		return x.reply(map[string]any{"id": a.uploadID(u), "file_offset": u.Offset})
	}
	return x.reply(map[string]string{"h": a.fileHandle(u)})
}

// uploadID names an upload.
func (a *API) uploadID(u *store.UploadSession) string {
	return uploadPrefix + base64.RawURLEncoding.EncodeToString([]byte("1:"+a.nodeID(u.ID)))
}

// uploadKey returns the key in the name of an upload, which has one spelling.
func (a *API) uploadKey(id string) (int64, bool) {
	rest, ok := strings.CutPrefix(id, uploadPrefix)
	b, err := base64.RawURLEncoding.Strict().DecodeString(rest)
	node, first := strings.CutPrefix(string(b), "1:")
	if !ok || err != nil || !first {
		return 0, false
	}
	return a.nodeKey(node)
}

// fileHandle names the file of a complete upload. The handle of a customer is something else: a wa_id or a BSUID.
func (a *API) fileHandle(u *store.UploadSession) string {
	return fileHandlePrefix + base64.RawURLEncoding.EncodeToString([]byte(u.MIME+":"+a.nodeID(u.ID)+":"+a.fileHandleHash(u.ID)))
}

func (a *API) fileHandleHash(key int64) string { return hex.EncodeToString(a.mac("handle", key)[:20]) }

// ofFileHandle finds the complete upload of a file handle, among those of whoever asks.
func (a *API) ofFileHandle(x *exchange, handle string) (*store.UploadSession, error) {
	b, err := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(handle, fileHandlePrefix))
	parts := strings.Split(string(b), ":")
	if err != nil || len(parts) != 3 {
		return nil, errNone()
	}
	key, ok := a.nodeKey(parts[1])
	if !ok || !hmac.Equal([]byte(parts[2]), []byte(a.fileHandleHash(key))) {
		return nil, errNone()
	}
	u, err := a.uploadOf(x, key)
	if err == nil && u.File == 0 {
		return nil, errNone()
	}
	return u, err
}

// readFileHandle returns the bytes of a handle that a parameter names.
func (a *API) readFileHandle(x *exchange, field, handle string, most int64) ([]byte, error) {
	u, err := a.ofFileHandle(x, handle)
	if isNone(err) {
		return nil, kabar.Refuse(kabar.ReasonInvalid, field, "is no handle of a complete upload: POST /{app}/uploads begins one")
	}
	if err != nil {
		return nil, err
	}
	if u.Length > most {
		return nil, kabar.Refuse(kabar.ReasonInvalid, field, "has %d bytes, the limit is %d", u.Length, most)
	}
	r, err := a.engine.Uploaded(x.r.Context(), u)
	if err != nil {
		return nil, err
	}
	defer func() { _ = r.Close() }() // read only
	return io.ReadAll(r)
}

// checkFileHandles looks up the handles by which a draft's media are shown to its reviewer.
func (a *API) checkFileHandles(x *exchange, parts []kabar.TemplateComponent) error {
	var faults kabar.TemplateFaults
	for i := range parts {
		some, err := a.fileHandleFaults(x, "components["+strconv.Itoa(i)+"]", &parts[i])
		if err != nil {
			return err
		}
		faults = append(faults, some...)
	}
	if len(faults) > 0 {
		return faults
	}
	return nil
}

// wantedTypes are what a medium of a header must be.
var wantedTypes = map[string]string{kabar.FormatImage: "image/", kabar.FormatVideo: "video/", kabar.FormatDocument: "application/pdf"}

func (a *API) fileHandleFaults(x *exchange, field string, c *kabar.TemplateComponent) (faults []kabar.TemplateFault, err error) {
	for i := range c.Cards {
		for j := range c.Cards[i].Components {
			some, err := a.fileHandleFaults(x, field+".cards["+strconv.Itoa(i)+"].components["+strconv.Itoa(j)+"]", &c.Cards[i].Components[j])
			if err != nil {
				return nil, err
			}
			faults = append(faults, some...)
		}
	}
	examples, _ := c.Examples() // what cannot be read is a fault that lint names
	for i, handle := range examples.Handle {
		u, err := a.ofFileHandle(x, handle)
		if err != nil && !isNone(err) {
			return nil, err
		}
		fault := kabar.TemplateFault{Path: field + ".example.header_handle[" + strconv.Itoa(i) + "]", Rule: kabar.RuleHeader,
			Suggestion: "Upload the example first, and name the handle that the upload gives."}
		switch {
		case err != nil:
			fault.Detail = "is no handle of a complete upload"
		case !strings.HasPrefix(u.MIME, wantedTypes[c.Format]):
			fault.Detail = "has the type " + u.MIME + ", which is no " + strings.ToLower(c.Format)
		default:
			continue
		}
		faults = append(faults, fault)
	}
	return faults, nil
}
