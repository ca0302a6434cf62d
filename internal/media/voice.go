package media

import (
	"errors"
	"io"
)

// CheckVoice tells whether a file of type mimeType (as [Sniff] gave it) may be sent as a voice message: Opus in Ogg, of one
// channel (Cloud contract, section 1.4). The error is a [*FormatError], or that of r.
func CheckVoice(r io.Reader, mimeType string) error {
	if mimeType != oggOpus {
		return unfit("voice message", "has the type %q, allowed is %s", mimeType, oggOpus)
	}
	head := make([]byte, opusChannels+1)
	switch _, err := io.ReadFull(r, head); {
	case errors.Is(err, io.ErrUnexpectedEOF), err == nil && !isOpus(head):
		return unfit("file", "is not complete")
	case err != nil:
		return err
	}
	if n := head[opusChannels]; n != 1 {
		return unfit("voice message", "has %d channels, allowed is one", n)
	}
	return nil
}
