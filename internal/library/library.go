// Package library holds ready-made templates: the notifications that every trade sends, in English and Indonesian.
//
// They are drafts without a fault. Whoever makes a template of one puts it before review like any other; nothing here is
// stored.
package library

import (
	_ "embed"
	"encoding/json"
	"fmt"

	"kabar"
)

//go:embed library.json
var text []byte

// Item is a template of the library.
type Item struct {
	kabar.TemplateDef
	Topic    string   `json:"topic"`
	UseCase  string   `json:"usecase"`
	Industry []string `json:"industry"`
	// Types say what the variables of the body are, in their order: TEXT, DATE, AMOUNT…
	Types []string `json:"body_param_types"`
}

// Items returns the library, by name and language. They are new with every call.
func Items() ([]Item, error) {
	var all []Item
	if err := json.Unmarshal(text, &all); err != nil {
		return nil, fmt.Errorf("read the library of templates: %w", err)
	}
	for i := range all {
		all[i].Library = all[i].Name
		all[i].Normalize()
	}
	return all, nil
}

// Find returns the item of a name in a language; nil if there is none.
func Find(name, language string) (*Item, error) {
	all, err := Items()
	for i := range all {
		if all[i].Name == name && all[i].Language == language {
			return &all[i], nil
		}
	}
	return nil, err
}
