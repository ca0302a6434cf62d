package relayserver

import (
	"database/sql"
	"encoding/hex"
	"errors"
	"net/http"
	"os"
	"strings"
	"syscall"
	"time"

	"kabar/internal/relayproto"
	"kabar/internal/web"
)

// The pace a download must keep, so that nobody holds files open by reading byte by byte.
const (
	readGrace = time.Minute
	readPace  = 16 << 10 // bytes a second
)

// ticket answers the request for leave to upload.
func (x *session) ticket(id uint64, ask *relayproto.AskTicket) {
	if ask.Size > relayproto.MaxBlob {
		x.answer(id, nil, refuse(relayproto.Refused_TOO_LARGE, "a blob holds at most 110 MiB"))
		return
	}
	if s := x.server; s.limits.BlobSpace >= 0 && s.blobs.used.Load()+ask.Size > s.limits.BlobSpace {
		x.answer(id, nil, later(relayproto.Refused_OVERLOADED, mailboxRetry, "the relay has no room for more media"))
		return
	}
	t := newTicket(x.device.id, ask, time.Now())
	x.answer(id, &relayproto.Frame{Body: &relayproto.Frame_Ticket{Ticket: &relayproto.Ticket{
		Blob: t.id, Token: t.token(x.server.blobs.key), ExpiresAtMs: t.expires.UnixMilli(),
	}}}, nil)
}

// putBlob stores an upload and answers 201 when file, name and row are on disk.
func (s *Server) putBlob(w http.ResponseWriter, r *http.Request) {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	t, err := parseTicket(token, s.blobs.key, time.Now())
	if !ok || err != nil {
		http.Error(w, errTicket.Error(), http.StatusUnauthorized)
		return
	}
	if r.ContentLength >= 0 && r.ContentLength != t.size {
		http.Error(w, errMismatch.Error(), http.StatusUnprocessableEntity)
		return
	}
	err = s.blobs.save(t, web.Body(w, r, t.size+1))
	if err == nil {
		var more int64
		err = s.store.do(func(tx *sql.Tx) (err error) {
			more, err = s.store.putBlob(tx, t, s.now().Add(s.limits.Lifetime))
			return err
		})
		if err == nil {
			s.blobs.used.Add(more)
		}
	}
	var over *http.MaxBytesError
	switch {
	case err == nil:
		w.WriteHeader(http.StatusCreated)
	case errors.Is(err, errMismatch), errors.As(err, &over):
		http.Error(w, errMismatch.Error(), http.StatusUnprocessableEntity)
	case errors.Is(err, syscall.ENOSPC):
		s.log.Error("relay blob", "err", err)
		http.Error(w, "the relay's disk is full", http.StatusInsufficientStorage)
	case r.Context().Err() != nil: // the device has gone
	default:
		s.log.Error("relay blob", "err", err)
		w.Header().Set("Retry-After", "1")
		http.Error(w, "the relay cannot store now", http.StatusServiceUnavailable)
	}
}

// getBlob serves a blob, or ranges of it, to whoever knows its id.
func (s *Server) getBlob(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	if !relayproto.ValidBlobID(id) {
		http.NotFound(w, r)
		return
	}
	sum, ok, err := s.store.getBlob(r.Context(), id, s.now())
	if err != nil {
		s.log.Error("relay blob", "err", err)
		http.Error(w, "the relay cannot read now", http.StatusServiceUnavailable)
		return
	}
	if !ok {
		http.NotFound(w, r)
		return
	}
	f, err := os.Open(s.blobs.path(id))
	if err != nil {
		s.log.Error("relay blob", "err", err)
		http.NotFound(w, r)
		return
	}
	defer func() { _ = f.Close() }()
	h := w.Header()
	h.Set("Content-Type", "application/octet-stream")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "private, no-store")
	h.Set("Etag", `"`+hex.EncodeToString(sum[:])+`"`)
	if info, err := f.Stat(); err == nil {
		due := readGrace + time.Duration(info.Size()/readPace)*time.Second
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(due)) // test recorders have none
	}
	http.ServeContent(w, r, "", time.Time{}, f)
}
