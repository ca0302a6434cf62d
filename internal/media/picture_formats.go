package media

import (
	"encoding/binary"
	"hash/crc32"
)

// inspectPNG walks the chunks: W3C PNG, section 5.
func inspectPNG(r *pictureReader) (p Picture, err error) {
	if string(r.bytes(8)) != "\x89PNG\r\n\x1a\n" {
		return p, broken("is no PNG")
	}
	data := false
	for first := true; r.err == nil; first = false {
		head := r.bytes(8)
		size, name := int64(binary.BigEndian.Uint32(head)), string(head[4:])
		if r.err == nil && (first != (name == "IHDR") || first && size != 13 || size > 1<<31-1) {
			return p, broken("has damaged chunks")
		}
		sum := crc32.NewIEEE()
		_, _ = sum.Write(head[4:]) // a hash takes everything
		switch name {
		case "IHDR":
			b := r.bytes(13)
			_, _ = sum.Write(b)
			p.Width, p.Height = int(binary.BigEndian.Uint32(b)), int(binary.BigEndian.Uint32(b[4:]))
		case "IDAT":
			data = true
			fallthrough
		default:
			r.copy(sum, size)
		}
		if stored := binary.BigEndian.Uint32(r.bytes(4)); r.err == nil && stored != sum.Sum32() {
			return p, broken("has a damaged chunk")
		}
		if name == "IEND" && r.err == nil {
			break
		}
	}
	if r.err == nil && !data {
		return p, broken("has no content")
	}
	return p, nil
}

// Markers of JPEG: ITU-T T.81, table B.1.
const (
	jpegSOI = 0xd8
	jpegEOI = 0xd9
	jpegSOS = 0xda
)

// inspectJPEG walks the segments to the end of the image. What follows it, such as the film that some cameras add, is not
// looked at.
func inspectJPEG(r *pictureReader) (p Picture, err error) {
	if b := r.bytes(2); b[0] != 0xff || b[1] != jpegSOI {
		return p, broken("is no JPEG")
	}
	scans := 0
	marker := r.marker()
	for r.err == nil {
		switch {
		case marker == jpegEOI:
			if scans == 0 || p.Width == 0 {
				return p, broken("has no content")
			}
			return p, nil
		case marker == 0, marker == jpegSOI:
			return p, broken("has damaged segments")
		case marker == 1 || marker >= 0xd0 && marker <= 0xd7: // no segment
			marker = r.marker()
			continue
		}
		left := int64(binary.BigEndian.Uint16(r.bytes(2))) - 2
		if marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc { // a frame
			if p.Width > 0 {
				return p, broken("has two frames")
			}
			b := r.bytes(5)
			p.Height, p.Width = int(binary.BigEndian.Uint16(b[1:])), int(binary.BigEndian.Uint16(b[3:]))
			left -= 5
		}
		if left < 0 {
			return p, broken("has damaged segments")
		}
		r.skip(left)
		if marker == jpegSOS {
			scans++
			marker = r.afterScan()
		} else {
			marker = r.marker()
		}
	}
	return p, nil
}

// marker reads a marker; 0 when there is something else.
func (r *pictureReader) marker() byte {
	if r.byte() != 0xff {
		return 0
	}
	for r.err == nil {
		if m := r.byte(); m != 0xff { // any number of which may stand before
			return m
		}
	}
	return 0
}

// afterScan passes over entropy-coded data and returns the marker that ends it.
func (r *pictureReader) afterScan() byte {
	for r.err == nil {
		if r.byte() != 0xff {
			continue
		}
		m := byte(0xff)
		for r.err == nil && m == 0xff {
			m = r.byte()
		}
		if m != 0 && (m < 0xd0 || m > 0xd7) { // neither a stuffed byte nor a restart
			return m
		}
	}
	return 0
}

// inspectWebP walks the chunks: RFC 9649, section 2.
func inspectWebP(r *pictureReader) (p Picture, err error) {
	head := r.bytes(12)
	if string(head[:4]) != "RIFF" || string(head[8:]) != "WEBP" {
		return p, broken("is no WebP")
	}
	frames := 0
	for left := int64(binary.LittleEndian.Uint32(head[4:])) - 4; left > 0 && r.err == nil; {
		chunk := r.bytes(8)
		size := int64(binary.LittleEndian.Uint32(chunk[4:]))
		whole := size + size&1 // chunks begin at even places
		if left -= 8 + whole; left < 0 && r.err == nil {
			return p, broken("has damaged chunks")
		}
		used := 0
		switch name := string(chunk[:4]); {
		case name == "VP8X" && size >= 10:
			b := r.bytes(10)
			used, p.Animated = 10, b[0]&2 != 0
			p.Width, p.Height = 1+le24(b[4:]), 1+le24(b[7:])
		case name == "VP8 " && size >= 10:
			b := r.bytes(10)
			used, frames = 10, frames+1
			if r.err == nil && string(b[3:6]) != "\x9d\x01\x2a" {
				return p, broken("has no key frame")
			}
			p.orElse(int(binary.LittleEndian.Uint16(b[6:])&0x3fff), int(binary.LittleEndian.Uint16(b[8:])&0x3fff))
		case name == "VP8L" && size >= 5:
			b := r.bytes(5)
			used, frames = 5, frames+1
			bits := binary.LittleEndian.Uint32(b[1:])
			p.orElse(int(bits&0x3fff)+1, int(bits>>14&0x3fff)+1)
		case name == "ANMF":
			frames++
		}
		r.skip(whole - int64(used))
	}
	if r.err == nil && frames == 0 {
		return p, broken("has no content")
	}
	return p, nil
}

// orElse keeps the size of the canvas where there is one.
func (p *Picture) orElse(width, height int) {
	if p.Width == 0 {
		p.Width, p.Height = width, height
	}
}

func le24(b []byte) int { return int(b[0]) | int(b[1])<<8 | int(b[2])<<16 }
