package phone

import (
	"bufio"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"mime"
	"os"
	"time"

	"kabar/internal/media"
)

const (
	// MaxMedia is the largest medium a customer can send, in bytes.
	MaxMedia = 110_000_000
	// blobLife is how long a medium at the relay is used for further messages; the relay keeps it a while longer.
	blobLife = 20 * 24 * time.Hour
)

// Medium is a stored medium.
type Medium struct {
	*os.File // the plain bytes; the caller closes it
	MIME     string
	Filename string // may be empty
	Size     int64
}

// medium is a row of that name.
type medium struct {
	key      int64
	id       string
	state    int
	file     string
	mime     string
	filename string
	size     int64
	sha256   string
	locator  string
	uploaded int64
	failure  string
}

const mediumColumns = "key, id, state, file, mime, filename, size, sha256, locator, uploaded, failure"

func readMedium(ctx context.Context, q querier, where string, args ...any) (*medium, error) {
	m := new(medium)
	err := q.QueryRowContext(ctx, "SELECT "+mediumColumns+" FROM media WHERE "+where, args...).
		Scan(&m.key, &m.id, &m.state, &m.file, &m.mime, &m.filename, &m.size, &m.sha256, &m.locator, &m.uploaded, &m.failure)
	return m, err
}

func mediumByID(ctx context.Context, q querier, c *customer, id string) (*medium, error) {
	m, err := readMedium(ctx, q, "id = ? AND customer = ?", id, c.id)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, refuse(CodeNotFound, "The customer has no medium %.40q. POST …/media gives the id of one to send; messages name those received.", id)
	}
	if err != nil {
		return nil, fmt.Errorf("read medium: %w", err)
	}
	return m, nil
}

// PutMedia stores a medium that a message can then name. mimeType is believed; empty, it is found from the content.
func (p *Phone) PutMedia(ctx context.Context, handle, mimeType, filename string, r io.Reader) (id string, err error) {
	c, err := customerByHandle(ctx, p.db.Read, handle)
	if err != nil {
		return "", err
	}
	in := bufio.NewReaderSize(r, media.SniffLen)
	head, err := in.Peek(media.SniffLen)
	if err != nil && err != io.EOF { //nolint:errorlint // an EOF inside another error means that r broke off
		return "", fmt.Errorf("read medium: %w", err)
	}
	if mimeType, err = mediaType(head, mimeType); err != nil {
		return "", err
	}
	hash := sha256.New()
	name, size, err := p.files.put(in, MaxMedia, hash)
	if errors.Is(err, errTooLong) {
		return "", refuse(CodeTooLarge, "The medium has more than %d bytes. Send a smaller one.", MaxMedia)
	}
	if err != nil {
		return "", fmt.Errorf("store medium: %w", err)
	}
	id = newMediaID()
	err = p.do(ctx, func(t *tx) error {
		return t.exec(`INSERT INTO media (id, customer, state, file, mime, filename, size, sha256, locator, uploaded) VALUES (?, ?, ?, ?, ?, ?, ?, ?, '', 0)`,
			id, c.id, mediaHere, name, mimeType, filename, size, hex.EncodeToString(hash.Sum(nil)))
	})
	return id, err
}

// mediaType checks a declared type, or finds one.
func mediaType(head []byte, declared string) (string, error) {
	if len(head) == 0 {
		return "", refuse(CodeInvalid, "The medium is empty. Send its bytes as the body, as curl --data-binary @file does.")
	}
	if declared == "" {
		found, err := media.Sniff(head, "")
		if err != nil {
			return "", fmt.Errorf("find the type of a medium: %w", err)
		}
		return found, nil
	}
	base, params, err := mime.ParseMediaType(declared)
	if err != nil || len(declared) > 200 {
		return "", refuse(CodeInvalid, "The Content-Type %.60q is no media type. Send one such as image/jpeg, or none.", declared)
	}
	return mime.FormatMediaType(base, params), nil
}

// OpenMedia opens a medium that was sent or received. One that is still on its way is waited for, as long as ctx allows.
func (p *Phone) OpenMedia(ctx context.Context, handle, id string) (*Medium, error) {
	c, err := customerByHandle(ctx, p.db.Read, handle)
	if err != nil {
		return nil, err
	}
	watch, stop := context.WithCancel(ctx)
	defer stop()
	changes := p.hub.watch(watch)
	for {
		m, err := mediumByID(context.WithoutCancel(ctx), p.db.Read, c, id)
		if err != nil {
			return nil, err
		}
		switch m.state {
		case mediaHere:
			f, err := p.files.open(m.file)
			if err != nil {
				return nil, fmt.Errorf("open medium: %w", err)
			}
			return &Medium{File: f, MIME: m.mime, Filename: m.filename, Size: m.size}, nil
		case mediaFailed:
			return nil, refuse(CodeUnavailable, "The medium could not be fetched: %s. Ask the business to send it again.", m.failure)
		}
		if _, more := <-changes; !more {
			return nil, refuse(CodeUnavailable, "The medium is still on its way. Ask again in a moment; an offline customer fetches nothing.")
		}
	}
}
