package media

import (
	"bufio"
	"fmt"
	"io"
)

// maxPixels is how many pixels a picture may have: whoever opens it needs four bytes for each. A small file can announce
// many more.
const maxPixels = 50_000_000

// Limits of stickers: contract of the On-Premises API, section 1.5.
const (
	stickerSide = 512       // pixels, both ways
	stickerMax  = 100 << 10 // bytes of one that stands still
)

// Picture is what the header of a picture says.
type Picture struct {
	Width, Height int // pixels
	Animated      bool
}

// FormatError says why a picture, a film or a sound cannot be used.
type FormatError struct{ What, Why string }

// Error says it.
func (e *FormatError) Error() string { return "the " + e.What + " " + e.Why }

func unfit(what, format string, args ...any) error {
	return &FormatError{what, fmt.Sprintf(format, args...)}
}

func broken(format string, args ...any) error { return unfit("picture", format, args...) }

// Inspects tells whether [Inspect] knows the type and reads files of this size: those that may be sent as a picture.
func Inspects(mimeType string, size int64) bool {
	return inspectors[mimeType] != nil && size <= limits["image"].size
}

var inspectors = map[string]func(*pictureReader) (Picture, error){
	"image/jpeg": inspectJPEG, "image/png": inspectPNG, "image/webp": inspectWebP,
}

// Inspect reads a picture of a type that [Sniff] has found, from its first byte to its end, and returns its size. It checks
// that all parts of the file are there and that the picture is not larger than 50 megapixels; it decodes nothing, so it
// needs a few kilobytes whatever the picture announces. The error is a [*FormatError], or that of r.
func Inspect(r io.Reader, mimeType string) (Picture, error) {
	inspect := inspectors[mimeType]
	if inspect == nil {
		return Picture{}, broken("is of the type %q", mimeType)
	}
	in := &pictureReader{in: bufio.NewReader(r)}
	p, err := inspect(in)
	switch {
	case in.err == io.EOF || in.err == io.ErrUnexpectedEOF: //nolint:errorlint // as they are: inside another error they are the reader's
		return Picture{}, broken("is not complete")
	case in.err != nil:
		return Picture{}, in.err
	case err != nil:
		return Picture{}, err
	case p.Width < 1 || p.Height < 1:
		return Picture{}, broken("has no size")
	case p.Width > maxPixels/p.Height:
		return Picture{}, broken("has %d by %d pixels, at most %d megapixels are allowed", p.Width, p.Height, maxPixels/1_000_000)
	}
	return p, nil
}

// CheckSticker tells whether a WebP file of size bytes may be sent as a sticker: 512 by 512 pixels, and 100 KB unless it
// moves. The error is a [*FormatError], or that of r.
func CheckSticker(r io.Reader, size int64) error {
	p, err := Inspect(r, "image/webp")
	switch {
	case err != nil:
		return err
	case p.Width != stickerSide || p.Height != stickerSide:
		return broken("has %d by %d pixels, a sticker has %d by %d", p.Width, p.Height, stickerSide, stickerSide)
	case !p.Animated && size > stickerMax:
		return broken("has %d bytes, a sticker that does not move at most %d", size, stickerMax)
	}
	return nil
}

// pictureReader reads a picture's parts. After its first error it gives zeros; whoever loops looks at err.
type pictureReader struct {
	in  *bufio.Reader
	err error
}

// bytes reads the next n bytes, at most a few.
func (r *pictureReader) bytes(n int) []byte {
	b := make([]byte, n)
	if r.err == nil {
		_, r.err = io.ReadFull(r.in, b)
	}
	return b
}

func (r *pictureReader) byte() byte { return r.bytes(1)[0] }

// skip passes over n bytes.
func (r *pictureReader) skip(n int64) { r.copy(io.Discard, n) }

func (r *pictureReader) copy(w io.Writer, n int64) {
	if r.err == nil {
		_, r.err = io.CopyN(w, r.in, n)
	}
}
