package ui

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strings"
)

//go:embed static
var static embed.FS

// AssetPrefix is the folder that [Assets] serves.
const AssetPrefix = "/assets/"

var assetTypes = map[string]string{
	".js":  "text/javascript; charset=utf-8",
	".css": "text/css; charset=utf-8",
	".svg": "image/svg+xml",
}

type asset struct {
	contentType string
	body        []byte
}

// Assets are the script, the stylesheet and the icon of the pages. The address of each holds a hash of its content, so
// that browsers keep it for ever and a new version of the program is never drawn with an old stylesheet. An Assets is
// safe for concurrent use.
type Assets struct {
	paths map[string]string // plain name to path
	files map[string]asset  // path to file
}

// NewAssets reads the embedded files. It panics when one of them has no known type: a mistake in the program.
func NewAssets() *Assets {
	a := &Assets{paths: make(map[string]string), files: make(map[string]asset)}
	entries, err := fs.ReadDir(static, "static")
	if err != nil {
		panic(err)
	}
	for _, entry := range entries {
		body, err := fs.ReadFile(static, "static/"+entry.Name())
		if err != nil {
			panic(err)
		}
		a.add(entry.Name(), body)
	}
	return a
}

func (a *Assets) add(name string, body []byte) {
	ext := path.Ext(name)
	contentType, ok := assetTypes[ext]
	if !ok {
		panic(fmt.Sprintf("asset %s has no known type", name))
	}
	sum := sha256.Sum256(body)
	p := AssetPrefix + strings.TrimSuffix(name, ext) + "." + hex.EncodeToString(sum[:8]) + ext
	a.paths[name] = p
	a.files[p] = asset{contentType, body}
}

// Path returns the address of the asset called name ("app.css"). An unknown name is an error of the template that asks.
func (a *Assets) Path(name string) (string, error) {
	p, ok := a.paths[name]
	if !ok {
		return "", fmt.Errorf("no asset is called %q", name)
	}
	return p, nil
}

// ServeHTTP answers requests below [AssetPrefix]: GET and HEAD of the exact addresses, 404 for everything else.
func (a *Assets) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	file, ok := a.files[r.URL.Path]
	if !ok || r.Method != http.MethodGet && r.Method != http.MethodHead {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Content-Type", file.contentType)
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Length", fmt.Sprint(len(file.body)))
	_, _ = w.Write(file.body) // a client that has gone needs no answer
}
