// Package dossier writes what is held of one customer as an archive that a person can read: JSON, the media files, and a README that
// explains each of them.
//
// It is written as it is read, a message at a time, so that memory does not depend on how much there is: only the ids of the media that
// have been seen are kept. It decides nothing about who may have an archive.
package dossier

import (
	"archive/zip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"kabar"
	"kabar/internal/media"
	"kabar/internal/store"
	"kabar/internal/trace"
)

// Options are what archives are written from.
type Options struct {
	Store *store.DB
	Media *media.Store
	Trace *trace.Tracer
	Now   func() time.Time // the product's clock
}

// Done is how far an archive is.
type Done struct{ Messages, Media int }

// Exporter writes archives. It is safe for concurrent use.
type Exporter struct{ o Options }

// New returns an exporter.
func New(o Options) *Exporter { return &Exporter{o} }

// Find looks for a customer of an account. Of whom nothing is known is refused with ReasonNotFound.
func (x *Exporter) Find(ctx context.Context, a kabar.AccountID, handle string) (*store.Person, error) {
	p, err := x.o.Store.FindPerson(ctx, a, handle)
	if store.IsNotFound(err) {
		return nil, kabar.Refuse(kabar.ReasonNotFound, "wa_id", "nothing is known of this customer: no conversation, no consent and no broadcast of this account names them")
	}
	if err != nil {
		return nil, store.Refusal(err)
	}
	store.Note(ctx, func(e *store.Audit) { e.Account, e.Subject = a, "customer/"+x.o.Store.Pseudonym(a, handle) })
	return p, nil
}

// Write writes the archive of a customer. step, which may be nil, is told how far it is. After an error what was written is no archive.
func (x *Exporter) Write(ctx context.Context, w io.Writer, p *store.Person, step func(Done)) error {
	a := &archive{Exporter: x, zip: zip.NewWriter(w), person: p, now: x.o.Now(), step: step, seen: map[medium]string{}}
	if a.step == nil {
		a.step = func(Done) {}
	}
	for _, part := range []struct {
		what  string
		write func(context.Context) error
	}{{"README", a.readme}, {"customer", a.customer}, {"consent", a.consent}, {"conversations", a.talks}} {
		if err := part.write(ctx); err != nil {
			return fmt.Errorf("export a customer: %s: %w", part.what, err)
		}
	}
	return a.zip.Close()
}

// archive is one archive on its way.
type archive struct {
	*Exporter
	zip    *zip.Writer
	person *store.Person
	now    time.Time
	step   func(Done)
	done   Done
	seen   map[medium]string // the files of media
	names  map[string]int    // folders of conversations
}

// medium is the key of a stored medium.
type medium struct {
	number kabar.NumberID
	id     kabar.MediaID
}

// file begins a file of the archive. The one before ends.
func (a *archive) file(name string, method uint16) (io.Writer, error) {
	return a.zip.CreateHeader(&zip.FileHeader{Name: name, Method: method, Modified: a.now})
}

// json writes a file of JSON.
func (a *archive) json(name string, v any) error {
	w, err := a.file(name, zip.Deflate)
	if err != nil {
		return err
	}
	return encoder(w).Encode(v)
}

func encoder(w io.Writer) *json.Encoder {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e
}

// list writes a file with a JSON list whose items each calls add for.
func (a *archive) list(name string, each func(add func(v any) error) error) error {
	w, err := a.file(name, zip.Deflate)
	if err != nil {
		return err
	}
	before := "[\n"
	add := func(v any) error {
		_, err := io.WriteString(w, before)
		before = ",\n"
		return errors.Join(err, encoder(w).Encode(v))
	}
	if err := each(add); err != nil {
		return err
	}
	if before == "[\n" {
		_, err = io.WriteString(w, "[")
	}
	_, last := io.WriteString(w, "]\n")
	return errors.Join(err, last)
}
