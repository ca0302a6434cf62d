package manage

import (
	"embed"
	"io/fs"
)

//go:embed openapi/*.yaml
var description embed.FS

// Prefix is where the routes of this API stand.
const Prefix = "/kabar/v1/"

// Description returns the OpenAPI document of this API as the files that package apidoc reads. A test holds it against the
// authorisation table.
func Description() fs.FS {
	files, err := fs.Sub(description, "openapi")
	if err != nil {
		panic(err) // the name of a folder that is embedded
	}
	return files
}
