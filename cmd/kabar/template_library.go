package main

import (
	"encoding/json"
	"fmt"

	"kabar"
	"kabar/internal/library"
)

// libraryText writes a notification of the library as a file: in one language, or in all of them.
func libraryText(name, language string) ([]byte, error) {
	all, err := library.Items()
	if err != nil {
		return nil, err
	}
	var defs []*kabar.TemplateDef
	for i := range all {
		if all[i].Name == name && (language == "" || all[i].Language == language) {
			defs = append(defs, &all[i].TemplateDef)
		}
	}
	if len(defs) == 0 {
		return nil, fmt.Errorf("the library has no %s in the language %q", name, language)
	}
	return json.Marshal(defs)
}
