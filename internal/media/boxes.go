package media

import (
	"encoding/binary"
	"errors"
	"io"
)

// maxBoxes is how many boxes of a file are looked at: a film cut into small fragments has two for each.
const maxBoxes = 100_000

// errDamaged says that boxes do not lie within each other.
var errDamaged = unfit("file", "has damaged boxes")

// boxes reads a file of the ISO base media format: boxes that hold others, each with its size and a name of four letters.
type boxes struct {
	r    io.ReadSeeker
	seen int
}

// span is where the content of a box lies in its file.
type span struct{ from, to int64 }

// walk calls each for the boxes that lie side by side in a span, up to its end. Fewer than eight bytes behind the last one are
// no box.
func (b *boxes) walk(in span, each func(name string, in span) error) error {
	for at := in.from; in.to-at >= 8; {
		if b.seen++; b.seen > maxBoxes {
			return unfit("file", "has too many boxes")
		}
		head, err := b.bytes(at, 8, in)
		if err != nil {
			return err
		}
		size, begin := int64(binary.BigEndian.Uint32(head)), at+8
		switch size {
		case 0: // up to the end
			size = in.to - at
		case 1: // it follows in 64 bits
			long, err := b.bytes(begin, 8, in)
			if err != nil {
				return err
			}
			size, begin = int64(binary.BigEndian.Uint64(long)), begin+8
		}
		switch {
		case size < begin-at:
			return errDamaged
		case size > in.to-at:
			return unfit("file", "is not complete")
		}
		if err := each(string(head[4:]), span{begin, at + size}); err != nil {
			return err
		}
		at += size
	}
	return nil
}

// descend calls each for every box at the end of a path of names.
func (b *boxes) descend(in span, path []string, each func(in span) error) error {
	return b.walk(in, func(name string, in span) error {
		switch {
		case name != path[0]:
			return nil
		case len(path) == 1:
			return each(in)
		}
		return b.descend(in, path[1:], each)
	})
}

// bytes reads n bytes at a place that must lie in a span.
func (b *boxes) bytes(at, n int64, in span) ([]byte, error) {
	if n < 0 || at < in.from || at > in.to-n {
		return nil, errDamaged
	}
	if _, err := b.r.Seek(at, io.SeekStart); err != nil {
		return nil, err
	}
	p := make([]byte, n)
	if _, err := io.ReadFull(b.r, p); errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, unfit("file", "is not complete")
	} else if err != nil {
		return nil, err
	}
	return p, nil
}

// text reads n bytes as a name, number two bytes as a number.
func (b *boxes) text(at, n int64, in span) (string, error) {
	p, err := b.bytes(at, n, in)
	return string(p), err
}

func (b *boxes) number(at int64, in span) (int64, error) {
	p, err := b.bytes(at, 2, in)
	if err != nil {
		return 0, err
	}
	return int64(binary.BigEndian.Uint16(p)), nil
}
