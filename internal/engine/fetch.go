package engine

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"kabar"
	"kabar/internal/lanes"
	"kabar/internal/network"
	"kabar/internal/secrets"
	"kabar/internal/store"
)

// Fetching of inbound media: at most so many at a time, and so often.
const (
	fetchConcurrency = 8
	fetchTries       = 8
	fetchPause       = 2 * time.Second // the n-th failure waits n times n of these
	fetchTimeout     = 5 * time.Minute
)

// fetch does the slow work with media, beside the lanes of the conversations: it downloads the medium of an inbound message
// and then publishes the message, or brings the medium of an outbound message to the network.
func (e *Engine) fetch(ctx context.Context, id int64) lanes.Next {
	job, l, err := e.fetchJob(ctx, id)
	if store.IsNotFound(err) {
		return lanes.Idle
	}
	if err != nil {
		return e.later(ctx, "read a fetch", err)
	}
	if connected, _ := e.Link(l.number.ID); !connected {
		return lanes.After(pauseOffline)
	}
	if isSend(job.Kind) {
		return e.carryUp(ctx, l, job)
	}
	got, err := e.downloads(ctx, l, job)
	if err != nil {
		if next, again := e.tryAgain(ctx, job, err); again {
			for _, m := range got.all() {
				e.discard(m.File)
			}
			return next
		}
		e.log.Warn("fetch media: given up", "message", job.Message, "err", err, "tries", job.Tries+1)
	}
	files, err := e.publish(ctx, l, job, got, err != nil)
	if err != nil {
		for _, m := range got.all() {
			e.discardUnstored(m.File, err)
		}
		return e.later(ctx, "publish a medium", err)
	}
	for _, m := range got.all() {
		e.note(Note{Number: job.Number, Fact: FactDownloaded})
		if !slices.Contains(files, m.File) { // its bytes were there already
			e.discard(m.File)
		}
	}
	return lanes.Idle
}

// fetching is the body of a fetch: the media of a message that are to be downloaded.
type fetching struct {
	Content *kabar.RemoteMedium `json:"content,omitempty"`
	Picture *kabar.RemoteMedium `json:"picture,omitempty"` // of its referral
}

// readFetching reads the body of a fetch. Jobs of earlier versions hold the place of the content alone.
func readFetching(body []byte) (fetching, error) {
	var f struct {
		fetching
		kabar.RemoteMedium
	}
	err := json.Unmarshal(body, &f)
	if err == nil && f.Locator != nil {
		f.Content = &f.RemoteMedium
	}
	return f.fetching, err
}

// fetched are the media of a message that have been downloaded.
type fetched struct{ content, picture *store.Medium }

func (f fetched) all() (media []*store.Medium) {
	for _, m := range []*store.Medium{f.content, f.picture} {
		if m != nil {
			media = append(media, m)
		}
	}
	return media
}

// downloads fetches all media of a message. With an error, it returns those that are there.
func (e *Engine) downloads(ctx context.Context, l *line, job *store.Job) (got fetched, err error) {
	wanted, err := readFetching(job.Body)
	if err != nil {
		return got, fmt.Errorf("%w: %w", errNeverThere, err)
	}
	var first, second error
	if wanted.Content != nil {
		got.content, first = e.download(ctx, l, job, wanted.Content)
	}
	if wanted.Picture != nil {
		got.picture, second = e.download(ctx, l, job, wanted.Picture)
	}
	for _, err := range []error{first, second} {
		if err != nil && !errors.Is(err, errNeverThere) {
			return got, err // a further try may help
		}
	}
	return got, errors.Join(first, second)
}

// fetchJob reads a job by the key of its lane.
func (e *Engine) fetchJob(ctx context.Context, id int64) (*store.Job, *line, error) {
	for n, l := range e.attached() {
		job, err := e.db.Job(ctx, n, id)
		if !store.IsNotFound(err) {
			return job, l, err
		}
	}
	return nil, nil, &store.NotFoundError{What: "job"}
}

// tryAgain says when to do a job again that has failed with err; again is false when no further try can help. The end of
// ctx leaves the job for the next start. What the network asks to wait for costs no try.
func (e *Engine) tryAgain(ctx context.Context, job *store.Job, err error) (next lanes.Next, again bool) {
	var refused *network.Refused
	var wait *network.Later
	switch {
	case ctx.Err() != nil:
		return lanes.Idle, true
	case errors.As(err, &wait):
		return lanes.After(wait.After), true
	case errors.As(err, &refused), errors.Is(err, errNeverThere), job.Tries+1 >= fetchTries,
		errors.Is(err, errLink) && job.Tries+1 >= linkTries:
		return lanes.Idle, false
	}
	job.Tries++
	e.log.Info("media: will try again", "message", job.Message, "err", err, "tries", job.Tries)
	err = e.db.Write(ctx, func(tx *store.Tx) { tx.WantJob(job.ID) }, func(tx *store.Tx) error { return tx.SaveJob(job) })
	if err != nil {
		return e.later(ctx, "count a try", err), true
	}
	return lanes.After(time.Duration(job.Tries*job.Tries) * fetchPause), true
}

// errNeverThere marks downloads that no further try can mend.
var errNeverThere = errors.New("the medium cannot be had")

func (e *Engine) download(ctx context.Context, l *line, job *store.Job, remote *kabar.RemoteMedium) (*store.Medium, error) {
	carrier, ok := l.net.(network.MediaCarrier)
	if !ok {
		return nil, fmt.Errorf("%w: the network carries no media", errNeverThere)
	}
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	plain, err := carrier.Download(ctx, remote)
	if err != nil {
		return nil, err
	}
	defer func() { _ = plain.Close() }() // everything has been read, or the error is known
	m := &store.Medium{Account: job.Account, Number: job.Number, MIME: remote.MIME, Key: secrets.NewKey(), Created: e.now()}
	info, err := e.media.Put(ctx, plain, m.Key, maxDownload)
	if err != nil {
		return nil, err
	}
	m.File, m.Size, m.SHA256 = info.Name, info.Size, hex.EncodeToString(info.SHA256[:])
	if m.SHA256 != remote.SHA256 {
		e.discard(m.File)
		return nil, fmt.Errorf("%w: its bytes are not the ones that were announced", errNeverThere)
	}
	if err := e.find(ctx, m); err != nil {
		e.discard(m.File)
		return nil, err
	}
	return m, nil
}

// discard removes a file whose row was not committed.
func (e *Engine) discard(file string) {
	if err := e.media.Remove(file); err != nil {
		e.log.Warn("remove a media file", "err", err)
	}
}

// discardUnstored removes a file when it is certain that its row was not stored. When that is not known, the file stays: the
// sweep removes it if nothing names it.
func (e *Engine) discardUnstored(file string, err error) {
	var refused *kabar.Error
	var broken *store.StatementError
	if errors.As(err, &refused) || errors.As(err, &broken) || store.IsNotFound(err) || errors.Is(err, store.ErrFull) {
		e.discard(file)
	}
}

// publish commits the media, the message that names them, and the event. incomplete says that there should be more. It returns
// the files that the media lie in.
func (e *Engine) publish(ctx context.Context, l *line, job *store.Job, got fetched, incomplete bool) (files []string, err error) {
	err = e.db.Write(ctx, func(tx *store.Tx) {
		tx.WantJob(job.ID)
		tx.WantMessage(job.Message)
		tx.WantConversation(job.Conversation)
		tx.WantSeq(job.Number)
	}, func(tx *store.Tx) error {
		if _, err := tx.Job(job.Number, job.ID); err != nil {
			return err
		}
		m, err := tx.Message(job.Number, job.Message)
		if store.IsNotFound(err) {
			return tx.RemoveJob(job.Number, job.ID) // it has been collected
		}
		if err != nil {
			return err
		}
		c, err := tx.Conversation(job.Number, job.Conversation)
		if err != nil {
			return err
		}
		var missing kabar.Reason
		if incomplete {
			missing = kabar.ReasonMediaDownload
		}
		if files, err = attach(tx, m, got); err != nil {
			return err
		}
		if err := tx.RemoveJob(job.Number, job.ID); err != nil {
			return err
		}
		return e.received(tx, l, c, m, missing)
	})
	return files, err
}

// attach stores media and names them in the message. It returns the files that they lie in.
func attach(tx *store.Tx, m *kabar.Message, got fetched) (files []string, err error) {
	for _, medium := range got.all() {
		stored := *medium // the operation may run again
		stored.Conversation = m.Conversation
		if medium == got.content {
			stored.Filename = kabar.MediumOf(m.Content).Filename
		}
		if err := tx.AddMedium(&stored); err != nil {
			return nil, err
		}
		files = append(files, stored.File)
		if medium == got.content {
			md := kabar.MediumOf(m.Content)
			md.ID, md.MIME, md.SHA256, md.Size = stored.ID, stored.MIME, stored.SHA256, stored.Size
		} else {
			m.Context.Referral.Medium = stored.ID
		}
	}
	return files, tx.SetContent(m)
}

// received adds the event of an inbound message. missing says why its medium is not there.
func (e *Engine) received(tx *store.Tx, l *line, c *kabar.Conversation, m *kabar.Message, missing kabar.Reason) error {
	content, err := kabar.Snapshot(m.Content)
	if err != nil {
		return err
	}
	ev := &kabar.Event{Account: c.Account, Number: c.Number, Conversation: c.ID, Kind: kabar.EventMessage, At: m.At, Customer: c.Customer,
		Message: m.ID, Ref: m.Ref, Content: content, Context: m.Context, Failure: missing}
	if ev.ReplyRef, ev.ReplyOut, err = e.reference(tx, m.Number, m.Context.ReplyTo); err != nil {
		return err
	}
	if ev.TargetRef, ev.TargetOut, err = e.reference(tx, m.Number, targetOf(m.Content)); err != nil {
		return err
	}
	if l.settings.ShowSecurity {
		ev.Identity = c.Identity()
	}
	return e.addEvent(tx, l, ev)
}

// reference returns the public number of a message and whether the business wrote it; 0 for none.
func (e *Engine) reference(tx *store.Tx, n kabar.NumberID, id kabar.MessageID) (ref uint64, out bool, err error) {
	if id == 0 {
		return 0, false, nil
	}
	m, err := tx.Message(n, id)
	if err != nil {
		return 0, false, ignoreMissing(err)
	}
	return m.Ref, m.Direction == kabar.Outbound, nil
}
