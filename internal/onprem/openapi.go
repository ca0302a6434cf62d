package onprem

import (
	"embed"
	"io/fs"
)

//go:embed openapi/*.yaml
var description embed.FS

// Description returns the OpenAPI document of this API as the files that package apidoc reads: one a section of the
// contract, which its number names. Tests hold it against the authorisation table and against the golden exchanges.
func Description() fs.FS {
	files, err := fs.Sub(description, "openapi")
	if err != nil {
		panic(err) // the name of a folder that is embedded
	}
	return files
}
