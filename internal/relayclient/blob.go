package relayclient

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"

	"kabar/internal/relayproto"
)

// PutBlob uploads size bytes of r, whose SHA-256 is sum, and returns the id under which anybody who knows it can fetch
// them. It returns after the relay has them on disk. The relay keeps them for 30 days by default.
//
// When ctx ends first and r is an io.Closer, PutBlob closes it: nothing else ends a Read of r that waits for more.
//
// Errors: ErrTooLarge (over relayproto.MaxBlob), ErrCorrupt (r does not match size or sum), *RetryAfter, ErrClosed.
func (c *Conn) PutBlob(ctx context.Context, r io.Reader, size int64, sum [sha256.Size]byte) (id string, err error) {
	if size > relayproto.MaxBlob {
		return "", ErrTooLarge
	}
	f, err := c.ask(ctx, &relayproto.Frame{Body: &relayproto.Frame_AskTicket{AskTicket: &relayproto.AskTicket{Size: size, Sha256: sum[:]}}})
	if err != nil {
		return "", err
	}
	t := f.GetTicket()
	if !relayproto.ValidBlobID(t.GetBlob()) {
		return "", fmt.Errorf("%w: the relay answered without a ticket", ErrMalformed)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, c.blobs, io.NopCloser(io.LimitReader(r, size)))
	if err != nil {
		return "", fmt.Errorf("put blob: %w", err)
	}
	req.ContentLength = size
	if size == 0 {
		req.Body = http.NoBody
	}
	req.Header.Set("Authorization", "Bearer "+t.Token)
	if closer, ok := r.(io.Closer); ok {
		stop := context.AfterFunc(ctx, func() { _ = closer.Close() }) // the caller learns of ctx
		defer stop()
	}
	resp, err := c.opts.client().Do(req) // waits for the Read in progress, also after ctx
	if err != nil {
		return "", fmt.Errorf("put blob: %w", errors.Join(ctx.Err(), err))
	}
	defer drain(resp.Body)
	switch resp.StatusCode {
	case http.StatusCreated:
		return t.Blob, nil
	case http.StatusUnprocessableEntity:
		return "", ErrCorrupt
	}
	return "", fmt.Errorf("put blob: the relay answered %s", resp.Status)
}

// drain lets the connection be used again, unless much is left to read.
func drain(body io.ReadCloser) {
	_, _ = io.CopyN(io.Discard, body, 4<<10) // what matters was the status
	_ = body.Close()
}

// resumes is how many times in a row GetBlob asks again without having received anything in between.
const resumes = 3

// GetBlob writes the blob to w and returns its length. A download that breaks off is resumed. Only nil means that w has
// the whole blob and that its SHA-256 is sum: until then nothing that was written may be trusted.
//
// Errors: ErrNotFound, ErrTooLarge (longer than a blob may be), ErrCorrupt, and those of w.
func (c *Conn) GetBlob(ctx context.Context, id string, sum [sha256.Size]byte, w io.Writer) (int64, error) {
	if !relayproto.ValidBlobID(id) {
		return 0, ErrNotFound
	}
	d := download{to: w, sum: sha256.New()}
	for failures := 0; ; {
		before := d.n
		err := c.fetchFrom(ctx, id, &d)
		if err == nil {
			break
		}
		if d.n > before {
			failures = 0
		}
		failures++
		var broken *brokenOff
		if !errors.As(err, &broken) || failures > resumes || ctx.Err() != nil {
			return d.n, err
		}
	}
	if [sha256.Size]byte(d.sum.Sum(nil)) != sum {
		return d.n, ErrCorrupt
	}
	return d.n, nil
}

// brokenOff is a failure after which the rest of a download can be asked for.
type brokenOff struct{ err error }

func (e *brokenOff) Error() string { return "get blob: " + e.err.Error() }
func (e *brokenOff) Unwrap() error { return e.err }

// download is what has arrived so far.
type download struct {
	to  io.Writer
	sum hash.Hash
	n   int64
	err error // of to
}

func (d *download) Write(p []byte) (int, error) {
	if d.n+int64(len(p)) > relayproto.MaxBlob {
		d.err = ErrTooLarge
		return 0, d.err
	}
	n, err := d.to.Write(p)
	d.sum.Write(p[:n])
	d.n += int64(n)
	d.err = err
	return n, err
}

// fetchFrom asks for the blob from d.n on.
func (c *Conn) fetchFrom(ctx context.Context, id string, d *download) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.blobs+"/"+id, nil)
	if err != nil {
		return fmt.Errorf("get blob: %w", err)
	}
	want := http.StatusOK
	if d.n > 0 {
		want = http.StatusPartialContent
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-", d.n))
	}
	resp, err := c.opts.client().Do(req)
	if err != nil {
		return &brokenOff{err}
	}
	defer func() { _ = resp.Body.Close() }()
	switch {
	case resp.StatusCode == http.StatusNotFound:
		return ErrNotFound
	case resp.StatusCode != want:
		return fmt.Errorf("get blob: the relay answered %s", resp.Status)
	}
	if _, err := io.Copy(d, resp.Body); err != nil {
		if d.err != nil {
			return fmt.Errorf("get blob: %w", d.err)
		}
		return &brokenOff{err}
	}
	return nil
}
