package phone

import (
	"context"
	"fmt"
	"mime"
	"net/http"
	"strconv"
	"time"

	"kabar/internal/media"
	"kabar/internal/web"
)

const (
	defaultLimit = 100
	maxLimit     = 100_000
	mediaWithin  = 20 * time.Second // how long a request waits for a medium that is on its way
)

// getMessages streams the messages: memory does not depend on their number.
func (p *Phone) getMessages(w http.ResponseWriter, r *http.Request) error {
	after, limit, err := cursor(r)
	if err != nil {
		return err
	}
	c, err := customerByHandle(r.Context(), p.db.Read, r.PathValue("wa_id"))
	if err != nil {
		return err
	}
	progress := stream(r.Context(), w)
	next, began := after, false
	err = p.each(r.Context(), c, "", after, limit, func(m Message) error {
		separator := ","
		if !began {
			began = true
			separator = listHead(w)
		}
		progress()
		next = m.Seq
		_, err := fmt.Fprintf(w, "%s%s", separator, m.JSON)
		return err
	})
	if err != nil && !began {
		return err
	}
	if err != nil {
		panic(http.ErrAbortHandler) // the client must not take what it has for the whole answer
	}
	head := ""
	if !began {
		head = listHead(w)
	}
	_, _ = fmt.Fprintf(w, `%s],"next":%d}`, head, next) // a client that has gone needs no answer
	return nil
}

// listHead sets the head of the answer and returns the first bytes of its body.
func listHead(w http.ResponseWriter) string {
	w.Header().Set("Content-Type", "application/json")
	return `{"messages":[`
}

// cursor reads the cursor and the limit of a list.
func cursor(r *http.Request) (after int64, limit int, err error) {
	limit = defaultLimit
	for name, values := range r.URL.Query() {
		v := values[len(values)-1]
		n, err := strconv.ParseInt(v, 10, 64)
		switch {
		case name == "after" && (v == "" || err == nil && n >= 0):
			after = n
		case name == "limit" && err == nil && n >= 1 && n <= maxLimit:
			limit = int(n)
		case name == "after":
			return 0, 0, refuse(CodeInvalid, `"after" is %.40q. Give the "next" of an earlier answer.`, v)
		case name == "limit":
			return 0, 0, refuse(CodeInvalid, `"limit" is %.40q. Give a number from 1 to %d.`, v, maxLimit)
		default:
			return 0, 0, refuse(CodeInvalid, `The parameter %.40q is not known here. There are "after" and "limit".`, name)
		}
	}
	return after, limit, nil
}

func (p *Phone) postMessage(w http.ResponseWriter, r *http.Request) error {
	var body draftJSON
	if err := decode(w, r, &body); err != nil {
		return err
	}
	d, err := body.draft()
	if err != nil {
		return err
	}
	id, err := p.Send(r.Context(), r.PathValue("wa_id"), d)
	if err != nil {
		return err
	}
	return write(w, http.StatusCreated, map[string]string{"id": id})
}

func (p *Phone) postRead(w http.ResponseWriter, r *http.Request) error {
	if err := decodeOptional(w, r, &struct{}{}); err != nil {
		return err
	}
	id := r.PathValue("id")
	if err := p.MarkRead(r.Context(), r.PathValue("wa_id"), id); err != nil {
		return err
	}
	return write(w, http.StatusOK, map[string]string{"id": id, "status": "read"})
}

func (p *Phone) postTap(w http.ResponseWriter, r *http.Request) error {
	var c Choice
	if err := decode(w, r, &c); err != nil {
		return err
	}
	given := 0
	for _, v := range []string{c.Button, c.Row, c.URL, c.Call} {
		if v != "" {
			given++
		}
	}
	if given != 1 {
		return refuse(CodeInvalid, `%d of "button", "row", "url" and "call" are given. Give the one to tap on, with its id.`, given)
	}
	out, err := p.Tap(r.Context(), r.PathValue("wa_id"), r.PathValue("id"), c)
	if err != nil {
		return err
	}
	if out.ID == "" {
		return write(w, http.StatusOK, out)
	}
	return write(w, http.StatusCreated, out)
}

func (p *Phone) postReact(w http.ResponseWriter, r *http.Request) error {
	var body struct {
		Emoji *string `json:"emoji"`
	}
	if err := decode(w, r, &body); err != nil {
		return err
	}
	if body.Emoji == nil {
		return refuse(CodeInvalid, `The emoji is missing. Give {"emoji": "👍"}, or an empty one to take the reaction back.`)
	}
	id, err := p.React(r.Context(), r.PathValue("wa_id"), r.PathValue("id"), *body.Emoji)
	if err != nil {
		return err
	}
	return write(w, http.StatusCreated, map[string]string{"id": id})
}

func (p *Phone) deleteMessage(w http.ResponseWriter, r *http.Request) error {
	id := r.PathValue("id")
	if err := p.Delete(r.Context(), r.PathValue("wa_id"), id); err != nil {
		return err
	}
	return write(w, http.StatusOK, map[string]string{"id": id, "status": "deleted"})
}

// postMedia takes the raw bytes. Their type is the Content-Type; without one, or with one that clients send by default,
// it is found from the content. A Content-Disposition may name the file.
func (p *Phone) postMedia(w http.ResponseWriter, r *http.Request) error {
	if r.ContentLength > MaxMedia {
		return refuse(CodeTooLarge, "The medium has %d bytes, at most %d are possible. Send a smaller one.", r.ContentLength, MaxMedia)
	}
	mimeType := r.Header.Get("Content-Type")
	if base, _, err := mime.ParseMediaType(mimeType); err == nil && (base == "application/x-www-form-urlencoded" || base == "application/octet-stream") {
		mimeType = ""
	}
	filename := ""
	if _, params, err := mime.ParseMediaType(r.Header.Get("Content-Disposition")); err == nil {
		filename = params["filename"]
	}
	body := web.Body(w, r, MaxMedia)
	id, err := p.PutMedia(r.Context(), r.PathValue("wa_id"), mimeType, filename, body)
	if err != nil {
		return err
	}
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(answerWithin)) // the upload has taken its time
	return write(w, http.StatusCreated, map[string]string{"id": id})
}

func (p *Phone) getMedia(w http.ResponseWriter, r *http.Request) error {
	ctx, stop := context.WithTimeout(r.Context(), mediaWithin)
	defer stop()
	m, err := p.OpenMedia(ctx, r.PathValue("wa_id"), r.PathValue("id"))
	if err != nil {
		return err
	}
	defer func() { _ = m.Close() }() // read only
	serveMedium(w, r, m)
	return nil
}

// serveMedium answers with the bytes, or the range asked for.
func serveMedium(w http.ResponseWriter, r *http.Request, m *Medium) {
	media.ServeHeaders(w.Header(), m.MIME, m.Filename)
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(answerWithin + time.Duration(m.Size/slowest)*time.Second))
	http.ServeContent(w, r, "", time.Time{}, m.File)
}

// slowest is the pace, in bytes a second, at which a client must at least read a medium.
const slowest = 64 << 10
