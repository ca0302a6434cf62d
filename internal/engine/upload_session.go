package engine

import (
	"context"
	"errors"
	"io"
	"slices"
	"time"

	"kabar"
	"kabar/internal/media"
	"kabar/internal/secrets"
	"kabar/internal/store"
)

// uploadLife is how long an upload is kept from its last part on: as long as uploaded media are.
const uploadLife = 30 * 24 * time.Hour

// uploadTypes are what may be uploaded in parts (contract Cloud API, 1.7), as they are declared and as they are found.
var uploadTypes = map[string]string{"application/pdf": "application/pdf", "image/jpeg": "image/jpeg", "image/jpg": "image/jpeg",
	"image/png": "image/png", "video/mp4": "video/mp4"}

// An upload session is what brings a file in parts; what it ends in has a file handle in the Cloud API. The uploads of upload.go go
// the other way: to the network.

// BeginUpload begins an upload session for a file with a name, a declared type and a length in bytes.
func (e *Engine) BeginUpload(ctx context.Context, n kabar.NumberID, name, mime string, length int64) (*store.UploadSession, error) {
	l, err := e.line(n)
	if err != nil {
		return nil, err
	}
	found, ok := uploadTypes[mime]
	switch {
	case !ok:
		return nil, kabar.Refuse(kabar.ReasonInvalid, "file_type", "is %.40q, allowed are application/pdf, image/jpeg, image/jpg, image/png and video/mp4", mime)
	case length < 1 || length > media.UploadMax:
		return nil, kabar.Refuse(kabar.ReasonInvalid, "file_length", "is %d, allowed are 1 to %d bytes", length, media.UploadMax)
	}
	u := &store.UploadSession{Account: l.number.Account, Number: n, Name: name, MIME: found, Length: length, Expires: e.now().Add(uploadLife)}
	return u, store.Refusal(e.db.Write(ctx, nil, func(tx *store.Tx) error { return tx.SaveUploadSession(u) }))
}

// UploadSession returns an upload of a number. One that is not there is refused as not found.
func (e *Engine) UploadSession(ctx context.Context, n kabar.NumberID, id int64) (*store.UploadSession, error) {
	u, err := e.db.UploadSession(ctx, n, id)
	return u, store.Refusal(err)
}

// ContinueUpload takes the bytes of an upload from offset on, which must be where those that have come end. What has come is kept when
// the client breaks off. When all have come, they become one medium; bytes that are not of the declared type end the upload.
func (e *Engine) ContinueUpload(ctx context.Context, n kabar.NumberID, id, offset int64, body io.Reader) (*store.UploadSession, error) {
	l, err := e.line(n)
	if err != nil {
		return nil, err
	}
	u, err := e.UploadSession(ctx, n, id)
	if err != nil || u.File != 0 && offset == u.Length {
		return u, err
	}
	if offset != u.Offset {
		return nil, misplaced(u, offset)
	}
	part := &brokenOff{r: body}
	m, err := e.keep(ctx, l, part, u.Length-u.Offset)
	if errors.Is(err, media.ErrTooLarge) {
		return nil, kabar.Refuse(kabar.ReasonInvalid, "file_length", "there are more bytes than the %d that were announced", u.Length)
	}
	if err != nil {
		return nil, err
	}
	ctx = context.WithoutCancel(ctx) // who has broken off may go on behind these bytes
	if u, err = e.addPart(ctx, u, m); err != nil {
		return nil, err
	}
	if part.err != nil {
		return nil, kabar.Refuse(kabar.ReasonMalformed, "", "the body broke off; %d of %d bytes have come", u.Offset, u.Length)
	}
	if u.Offset < u.Length {
		return u, nil
	}
	return e.completeUpload(ctx, l, u)
}

// Uploaded returns the bytes of a complete upload, which the caller closes. One that is not complete is refused as not found.
func (e *Engine) Uploaded(ctx context.Context, u *store.UploadSession) (io.ReadCloser, error) {
	if u.File == 0 {
		return nil, kabar.Refuse(kabar.ReasonNotFound, "", "the upload is not complete")
	}
	_, r, err := e.Medium(ctx, u.Number, u.File)
	return r, err
}

func misplaced(u *store.UploadSession, offset int64) error {
	return kabar.Refuse(kabar.ReasonInvalid, "file_offset", "is %d, and %d of %d bytes have come: go on there", offset, u.Offset, u.Length)
}

// keep stores the bytes of a part.
func (e *Engine) keep(ctx context.Context, l *line, body io.Reader, most int64) (*store.Medium, error) {
	m := &store.Medium{Account: l.number.Account, Number: l.number.ID, MIME: "application/octet-stream", Key: secrets.NewKey(), Created: e.now()}
	return m, e.put(ctx, m, body, most)
}

// addPart commits a part, unless another request was faster.
func (e *Engine) addPart(ctx context.Context, u *store.UploadSession, m *store.Medium) (after *store.UploadSession, err error) {
	if m.Size == 0 {
		e.discard(m.File)
		return u, nil
	}
	var stored store.Medium
	err = e.db.Write(ctx, nil, func(tx *store.Tx) error {
		if after, err = tx.UploadSession(u.Number, u.ID); err != nil {
			return err
		}
		if after.Offset != u.Offset {
			return misplaced(after, u.Offset)
		}
		stored = *m
		if err := tx.AddMedium(&stored); err != nil {
			return err
		}
		after.Parts = append(after.Parts, stored.ID)
		after.Offset += m.Size
		after.Expires = e.now().Add(uploadLife)
		return tx.SaveUploadSession(after)
	})
	if err == nil && stored.File != m.File {
		e.discard(m.File)
	}
	e.discardUnstored(m.File, err)
	return after, store.Refusal(err)
}

// completeUpload makes one medium of the parts.
func (e *Engine) completeUpload(ctx context.Context, l *line, u *store.UploadSession) (*store.UploadSession, error) {
	m, err := e.join(ctx, l, u)
	if refused, ok := errors.AsType[*kabar.Error](err); ok && refused.After == 0 {
		return nil, errors.Join(kabar.Refuse(kabar.ReasonInvalid, "file_type", "the bytes are no %s: begin the upload anew", u.MIME), e.dropUploadSession(ctx, u))
	}
	if err != nil {
		return nil, err
	}
	var whole *store.UploadSession
	var stored store.Medium
	var files []string
	err = e.db.Write(ctx, nil, func(tx *store.Tx) error {
		if whole, err = tx.UploadSession(u.Number, u.ID); err != nil {
			return err
		}
		stored = *m
		if err := tx.AddMedium(&stored); err != nil {
			return err
		}
		if files, err = removeParts(tx, whole); err != nil {
			return err
		}
		whole.Parts, whole.File = nil, stored.ID
		return tx.SaveUploadSession(whole)
	})
	if err == nil {
		for _, file := range files {
			e.discard(file)
		}
		if stored.File != m.File {
			e.discard(m.File)
		}
	}
	e.discardUnstored(m.File, err)
	return whole, store.Refusal(err)
}

// join stores the bytes of all parts in one file.
func (e *Engine) join(ctx context.Context, l *line, u *store.UploadSession) (*store.Medium, error) {
	var readers []io.Reader
	for _, id := range u.Parts {
		_, r, err := e.Medium(ctx, u.Number, id)
		if err != nil {
			return nil, err
		}
		defer func() { _ = r.Close() }() // read only
		readers = append(readers, r)
	}
	m, err := e.save(ctx, l, Upload{Body: io.MultiReader(readers...), MIME: u.MIME, Filename: u.Name}, media.UploadMax)
	if err == nil && m.MIME != u.MIME {
		e.discard(m.File)
		return nil, kabar.Refuse(kabar.ReasonInvalid, "file_type", "")
	}
	return m, err
}

// dropUploadSession removes an upload with its bytes.
func (e *Engine) dropUploadSession(ctx context.Context, u *store.UploadSession) error {
	var files []string
	err := e.db.Write(ctx, nil, func(tx *store.Tx) error {
		now, err := tx.UploadSession(u.Number, u.ID)
		if err != nil {
			return ignoreMissing(err)
		}
		if files, err = removeParts(tx, now); err != nil {
			return err
		}
		return tx.RemoveUploadSession(u.Number, u.ID)
	})
	if err != nil {
		return store.Refusal(err)
	}
	for _, file := range files {
		e.discard(file)
	}
	return nil
}

// removeParts removes the media of an upload and returns the files that nothing names any more. Some may have been collected.
func removeParts(tx *store.Tx, u *store.UploadSession) (files []string, err error) {
	for _, id := range append(slices.Clip(u.Parts), u.File) {
		file, err := tx.RemoveMedium(u.Number, id)
		if err != nil && !store.IsNotFound(err) {
			return nil, err
		}
		if file != "" {
			files = append(files, file)
		}
	}
	return files, nil
}

// sweepUploads removes uploads that have expired.
func (e *Engine) sweepUploads(ctx context.Context) error {
	for {
		all, err := e.db.ExpiredUploadSessions(ctx, e.now())
		if err != nil || len(all) == 0 {
			return err
		}
		for _, u := range all {
			if err := e.dropUploadSession(ctx, u); err != nil {
				return err
			}
		}
	}
}

// brokenOff is a body of which the beginning counts, however it ends.
type brokenOff struct {
	r   io.Reader
	err error // what has ended it before its end
}

func (b *brokenOff) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		b.err, err = err, io.EOF
	}
	return n, err
}
