package main

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"kabar/internal/secrets"
	"kabar/internal/store"
)

// databaseFlags say where a server keeps its rows.
type databaseFlags struct {
	Data                 string `help:"The server's data folder: its store, media and certificate." required:"" type:"path"`
	Database             string `help:"PostgreSQL to use instead of SQLite in the data folder, for one server." placeholder:"postgres://…" secret:"url"`
	DatabasePasswordFile string `help:"File with the password for --database." type:"path" placeholder:"FILE"`
	DatabaseConnections  int    `help:"Connections to PostgreSQL at most: one writes, the others read." default:"9" placeholder:"N"`
}

// options are how the store is opened.
func (f *databaseFlags) options(master secrets.Key) (store.Options, error) {
	o := store.Options{Master: master, MaxConns: f.DatabaseConnections}
	if f.Database == "" {
		o.Path = filepath.Join(f.Data, "kabar.db")
		return o, nil
	}
	u, err := url.Parse(f.Database)
	if err != nil || !strings.HasPrefix(u.Scheme, "postgres") {
		return o, &usageError{fmt.Errorf("--database: want postgres://USER@HOST/NAME")} // the error of url.Parse would show the password
	}
	if f.DatabasePasswordFile != "" {
		password, err := secrets.ReadPrivate(f.DatabasePasswordFile)
		if err != nil {
			return o, &usageError{fmt.Errorf("--database-password-file: %w", err)}
		}
		u.User = url.UserPassword(u.User.Username(), password)
	}
	o.URL = u.String()
	return o, nil
}

// place says where the store is, which must be there: opening would make an empty one.
func (f *databaseFlags) place(master secrets.Key) (store.Options, error) {
	o, err := f.options(master)
	if err == nil && o.Path != "" {
		if _, err := os.Stat(o.Path); err != nil {
			if _, missing := os.Stat(filepath.Join(f.Data, "server", filepath.Base(o.Path))); missing == nil {
				return o, &usageError{fmt.Errorf("--data %[1]s is a folder of kabar dev: give --data %[1]s/server --master-key-file %[1]s/keys/master.key", f.Data)}
			}
			return o, &usageError{fmt.Errorf("--data %s: there is no store of a server here: %w", f.Data, err)}
		}
	}
	return o, err
}
