package relay

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"kabar"
	"kabar/internal/attachment"
	"kabar/internal/e2ee"
	"kabar/internal/network"
	"kabar/internal/payload"
	"kabar/internal/relayclient"
)

// blobLife is how long an uploaded medium is counted on: a day less than the relay keeps it.
const blobLife = 29 * 24 * time.Hour

// Upload implements network.MediaCarrier: it encrypts under a fresh key and stores the ciphertext at the relay.
func (d *Driver) Upload(ctx context.Context, plain io.Reader, size int64) (locator []byte, expires time.Time, err error) {
	conn, _, err := d.link()
	if err != nil {
		return nil, time.Time{}, err
	}
	f, err := d.tempFile()
	if err != nil {
		return nil, time.Time{}, err
	}
	defer f.discard()
	sealed, err := attachment.Encrypt(f, plain)
	if err != nil {
		return nil, time.Time{}, err
	}
	if sealed.Size != size {
		return nil, time.Time{}, fmt.Errorf("encrypt media: %d bytes instead of %d", sealed.Size, size)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return nil, time.Time{}, err
	}
	blob, err := conn.PutBlob(ctx, f, sealed.CipherSize, sealed.CipherHash)
	if err != nil {
		return nil, time.Time{}, verdict(err)
	}
	locator, err = json.Marshal(payload.Medium{Blob: blob, Key: sealed.Key[:], CipherHash: sealed.CipherHash[:],
		CipherSize: sealed.CipherSize, Size: sealed.Size, SHA256: hex.EncodeToString(sealed.PlainHash[:])})
	return locator, d.o.Now().Add(blobLife), err
}

// Download implements network.MediaCarrier.
func (d *Driver) Download(ctx context.Context, m *kabar.RemoteMedium) (io.ReadCloser, error) {
	conn, _, err := d.link()
	if err != nil {
		return nil, err
	}
	var at payload.Medium
	if err := json.Unmarshal(m.Locator, &at); err != nil {
		return nil, fmt.Errorf("read a locator: %w", err)
	}
	if len(at.Key) != 32 || len(at.CipherHash) != 32 { // the customer may have chosen them
		return nil, errors.New("read a locator: malformed")
	}
	f, err := d.tempFile()
	if err != nil {
		return nil, err
	}
	if _, err := conn.GetBlob(ctx, at.Blob, [32]byte(at.CipherHash), f); err != nil {
		f.discard()
		return nil, err
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		f.discard()
		return nil, err
	}
	return &decrypted{attachment.Decrypt(f, [32]byte(at.Key), at.Size), f}, nil
}

// decrypted reads the plaintext and removes the ciphertext when it is closed.
type decrypted struct {
	io.Reader
	f *temp
}

// Close removes the ciphertext.
func (r *decrypted) Close() error { r.f.discard(); return nil }

// temp is a file of ciphertext that nobody needs for long.
type temp struct{ *os.File }

func (d *Driver) tempFile() (*temp, error) {
	f, err := os.CreateTemp(d.o.TempDir, "kabar-media-*")
	if err != nil {
		return nil, fmt.Errorf("media: %w", err)
	}
	return &temp{f}, nil
}

func (t *temp) discard() {
	_ = t.Close()           // nothing in it is needed
	_ = os.Remove(t.Name()) // ciphertext; the system clears its temporary folder
}

// Typing implements network.Typist. The signal lies outside the ratchet: losing it costs nothing.
func (d *Driver) Typing(ctx context.Context, to kabar.Customer, s network.State) error {
	conn, dev, err := d.link()
	if err != nil {
		return err
	}
	sess, err := d.readSession(s, to.Handle(), dev)
	if err != nil {
		return err
	}
	now := d.o.Now()
	plain, err := payload.Encode(&payload.Payload{Typing: &payload.Typing{On: true}}, now)
	if err != nil {
		return err
	}
	signal, _, err := sess.peer.SealSignal(plain, now) // the next state need not be kept: the clock carries the sequence on
	if errors.Is(err, e2ee.ErrNoSession) {
		return nil // nobody to show it to
	}
	if err != nil {
		return err
	}
	return conn.Signal(ctx, relayclient.Address{Account: to.Handle(), Device: 1}, signal)
}
