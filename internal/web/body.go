package web

import (
	"fmt"
	"io"
	"net/http"
	"time"
)

// A body must keep a pace, so that nobody holds a connection open by sending it byte by byte: a grace at the start,
// then so many bytes a second on average.
const (
	bodyGrace = 20 * time.Second
	bodyPace  = 16 << 10 // bytes a second: 64 MB within 69 minutes
)

func tooLarge(max int64) *Error {
	return &Error{Kind: TooLarge, Detail: fmt.Sprintf("more than %d bytes", max)}
}

// ReadBody reads the whole body of r, at most max bytes; a larger one is an [*Error] of kind TooLarge, refused before it
// is read when the client announces its length. One of kind BrokenOff means that the client stopped or was too slow; there
// is hardly anybody left to answer.
func ReadBody(w http.ResponseWriter, r *http.Request, max int64) ([]byte, error) {
	if r.ContentLength > max {
		Drain(w, r)
		return nil, tooLarge(max)
	}
	data, err := io.ReadAll(Body(w, r, max))
	if fault := Fault(err); fault != nil {
		Drain(w, r)
		return nil, fault
	}
	if err != nil {
		return nil, &Error{Kind: BrokenOff}
	}
	return data, nil
}

// Body returns the body of r as a stream for uploads. It ends with an [*http.MaxBytesError] after max bytes, and with a
// timeout when the client sends too slowly: after 20 seconds of grace, on average 16 KiB a second are due. The time
// during which the caller does not read counts, too.
func Body(w http.ResponseWriter, r *http.Request, max int64) io.Reader {
	return &pacedBody{
		body:  http.MaxBytesReader(w, r.Body, max),
		conn:  http.NewResponseController(w),
		start: time.Now(),
	}
}

// How much of a refused body is read, and for how long.
const (
	drainBytes = 80 << 20
	drainTime  = 20 * time.Second
)

// Drain reads what a client still sends of a body that has been refused, within bounds, and forgets it. A client that has
// not finished sending would otherwise see its connection reset and never the answer. One that asks before it sends (Expect:
// 100-continue) waits for the answer, and to read would tell it to send.
func Drain(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Expect") != "" {
		return
	}
	conn := http.NewResponseController(w)
	if conn.SetReadDeadline(time.Now().Add(drainTime)) != nil {
		return
	}
	_, _ = io.CopyN(io.Discard, r.Body, drainBytes) // the refusal is the answer, however this ends
	_ = conn.SetReadDeadline(time.Time{})           // likewise
}

type pacedBody struct {
	body  io.Reader
	conn  *http.ResponseController
	start time.Time
	n     int64
}

// Read sets the deadline anew each time. It is lifted at the end of the body: what the server then reads in the
// background to notice a lost client must not time out.
func (b *pacedBody) Read(p []byte) (int, error) {
	due := bodyGrace + time.Duration(b.n/bodyPace)*time.Second
	_ = b.conn.SetReadDeadline(b.start.Add(due)) // not supported by test recorders, which are never slow
	n, err := b.body.Read(p)
	b.n += int64(n)
	if err != nil {
		_ = b.conn.SetReadDeadline(time.Time{})
	}
	return n, err
}
