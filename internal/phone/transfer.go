package phone

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"kabar/internal/attachment"
	"kabar/internal/payload"
	"kabar/internal/relayclient"
)

// fetchTries is how often a medium is asked for within one connection.
const fetchTries = 5

// fetch gets the media that received messages name, one after another.
func (n *line) fetch() {
	wait := minWait
	for tries := 1; n.ctx.Err() == nil; tries++ {
		m, err := readMedium(n.ctx, n.p.db.Read, "customer = ? AND state = ? ORDER BY key LIMIT 1", n.id, mediaAbsent)
		if errors.Is(err, sql.ErrNoRows) {
			return
		}
		if err != nil {
			n.giveUp("read media", err)
			return
		}
		err = n.fetchOne(m)
		if err == nil {
			tries, wait = 0, minWait
			continue
		}
		if n.ctx.Err() != nil {
			return
		}
		if tries >= fetchTries || errors.Is(err, relayclient.ErrNotFound) || errors.Is(err, relayclient.ErrTooLarge) ||
			errors.Is(err, relayclient.ErrCorrupt) || errors.Is(err, attachment.ErrDamaged) {
			n.log.Warn("cannot fetch a medium", "error", err)
			if err := n.settle(m, mediaFailed, "", err.Error()); err != nil {
				n.giveUp("store medium", err)
				return
			}
			tries, wait = 0, minWait
			continue
		}
		select {
		case <-time.After(wait):
			wait *= 2
		case <-n.ctx.Done():
		}
	}
}

// fetchOne fetches, decrypts and stores a medium; every byte is checked before the message shows it.
func (n *line) fetchOne(m *medium) error {
	select { // few at once, whatever the number of customers
	case n.p.fetches <- struct{}{}:
		defer func() { <-n.p.fetches }()
	case <-n.ctx.Done():
		return n.ctx.Err()
	}
	var at payload.Medium
	if err := json.Unmarshal([]byte(m.locator), &at); err != nil {
		return fmt.Errorf("read locator: %w", err)
	}
	ctx, stop := context.WithCancel(n.ctx)
	defer stop()
	ciphertext, arriving := io.Pipe()
	done := make(chan error, 1)
	go func() {
		_, err := n.conn.GetBlob(ctx, at.Blob, [32]byte(at.CipherHash), arriving)
		_ = arriving.CloseWithError(err) // never an error of its own
		done <- err
	}()
	hash := sha256.New()
	name, size, err := n.p.files.put(attachment.Decrypt(ciphertext, [32]byte(at.Key), at.Size), MaxMedia, hash)
	_ = ciphertext.CloseWithError(err) // lets the download end when the rest is not wanted
	err = errors.Join(err, <-done)
	if err == nil && (size != at.Size || hex.EncodeToString(hash.Sum(nil)) != at.SHA256) {
		err = attachment.ErrDamaged
	}
	if err != nil {
		n.p.files.remove(name)
		return err
	}
	return n.settle(m, mediaHere, name, "")
}

// settle commits what became of a medium and shows it.
func (n *line) settle(m *medium, state int, file, failure string) error {
	return n.p.do(n.ctx, func(t *tx) error {
		if err := t.exec("UPDATE media SET state = ?, file = ?, failure = ? WHERE key = ?", state, file, failure, m.key); err != nil {
			return err
		}
		var business, wire string
		err := t.QueryRow(`SELECT business, wire FROM messages WHERE customer = ?1
			AND (medium = ?2 OR seq = (SELECT card_of FROM media WHERE key = ?2))`, n.id, m.key).Scan(&business, &wire)
		if err != nil {
			return fmt.Errorf("find the message of a medium: %w", err)
		}
		c, err := customerByID(n.ctx, t, n.id)
		if err == nil {
			t.note(c, publicID(c, business, wire))
		}
		return err
	})
}

// uploadFor puts the medium of a message in the outbox at the relay, if it has one that is not there yet.
func (n *line) uploadFor(row int64) error {
	keys, err := list[int64](n.ctx, n.p.db.Read, `SELECT o.medium FROM outbox o JOIN media m ON m.key = o.medium
		WHERE o.id = ? AND o.state = ? AND m.locator = ''`, row, rowQueued)
	if err != nil || len(keys) == 0 {
		return err
	}
	m, err := readMedium(n.ctx, n.p.db.Read, "key = ?", keys[0])
	if err != nil {
		return fmt.Errorf("read medium: %w", err)
	}
	locator, err := n.upload(m)
	if why := err; errors.Is(why, os.ErrNotExist) || errors.Is(why, relayclient.ErrTooLarge) {
		return n.p.do(n.ctx, func(t *tx) error {
			c, err := n.self(t)
			if err != nil {
				return err
			}
			return t.failRows(n.ctx, c, why.Error(), "medium = ?", m.key)
		})
	}
	if err != nil {
		return fmt.Errorf("upload medium: %w", err)
	}
	return n.p.do(n.ctx, func(t *tx) error {
		return t.exec("UPDATE media SET locator = ?, uploaded = ? WHERE key = ?", locator, t.now.UnixMilli(), m.key)
	})
}

// upload encrypts a medium and puts it at the relay.
func (n *line) upload(m *medium) (locator []byte, err error) {
	plain, err := n.p.files.open(m.file)
	if err != nil {
		return nil, err
	}
	defer func() { _ = plain.Close() }() // read only
	temp, name, err := n.p.files.temp()
	if err != nil {
		return nil, err
	}
	defer n.p.files.discard(temp, name)
	sealed, err := attachment.Encrypt(temp, plain)
	if err != nil {
		return nil, err
	}
	if _, err := temp.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	blob, err := n.conn.PutBlob(n.ctx, temp, sealed.CipherSize, sealed.CipherHash)
	if err != nil {
		return nil, err
	}
	return json.Marshal(payload.Medium{
		Blob: blob, Key: sealed.Key[:], CipherHash: sealed.CipherHash[:], CipherSize: sealed.CipherSize,
		Size: sealed.Size, SHA256: hex.EncodeToString(sealed.PlainHash[:]), MIME: m.mime,
	})
}
