package apidoc

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"kabar/internal/ui"
	"kabar/internal/web"
)

//go:embed html
var templates embed.FS

// Handlers returns the handlers by pattern: the document as JSON at prefix + "openapi.json", and the page at prefix +
// "docs". The page's stylesheet is one of ui.Assets, which the caller serves. The files (see Read) are read at the first
// request; when they are wrong, which is a mistake in the program, every request is answered 500 and log says why.
func Handlers(files fs.FS, prefix string, log *slog.Logger) map[string]http.Handler {
	document := sync.OnceValues(func() (*Document, error) { return Read(files) })
	json := sync.OnceValues(func() (*content, error) {
		d, err := document()
		if err != nil {
			return nil, err
		}
		return newContent("application/json", d.JSON()), nil
	})
	page := sync.OnceValues(func() (*content, error) {
		d, err := document()
		if err != nil {
			return nil, err
		}
		html, err := d.page(ui.NewAssets(), prefix+"openapi.json")
		return newContent("text/html; charset=utf-8", html), err
	})
	return map[string]http.Handler{
		"GET " + prefix + "openapi.json": serve(json, log),
		"GET " + prefix + "docs":         web.PageHeaders(serve(page, log)),
	}
}

// content is what a handler answers.
type content struct {
	contentType, tag string
	body             []byte
}

func newContent(contentType string, body []byte) *content {
	sum := sha256.Sum256(body)
	return &content{contentType, `"` + hex.EncodeToString(sum[:16]) + `"`, body}
}

func serve(get func() (*content, error), log *slog.Logger) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := get()
		if err != nil {
			log.ErrorContext(r.Context(), "describe the API", "err", err)
			http.Error(w, "the description of the API cannot be read", http.StatusInternalServerError)
			return
		}
		h := w.Header()
		h.Set("Content-Type", c.contentType)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cache-Control", "no-cache") // kept, and asked for by its tag: another version says other things
		h.Set("ETag", c.tag)
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(c.body))
	})
}
