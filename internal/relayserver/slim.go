package relayserver

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
)

// slimBuffer is the size of a connection's two buffers. Most connections are idle; the 2 x 4 KiB of net/http would be
// most of what they cost.
const slimBuffer = 2 << 10

// slim is a ResponseWriter whose connection, once it is taken over, has small buffers.
type slim struct{ http.ResponseWriter }

// Hijack hands the connection over, with what has been read ahead.
func (s slim) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(s.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	ahead, err := rw.Reader.Peek(rw.Reader.Buffered()) // cannot fail: it is there
	if err != nil {
		return nil, nil, err
	}
	r := bufio.NewReaderSize(io.MultiReader(bytes.NewReader(bytes.Clone(ahead)), conn), max(slimBuffer, len(ahead)))
	if _, err := r.Peek(len(ahead)); err != nil { // now they count as buffered
		return nil, nil, err
	}
	return conn, bufio.NewReadWriter(r, bufio.NewWriterSize(conn, slimBuffer)), nil
}
