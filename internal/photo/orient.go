package photo

import (
	"bytes"
	"encoding/binary"
	"image"
)

// orientation returns how a camera was held, as a JPEG's EXIF says (TIFF tag 274): 1 to 8, 1 for upright. A file that does not say, or
// is not understood, is upright: it is only turned otherwise.
func orientation(file []byte) int {
	if !bytes.HasPrefix(file, []byte{0xff, 0xd8}) {
		return 1
	}
	for rest := file[2:]; len(rest) >= 4 && rest[0] == 0xff && rest[1] != 0xda; { // until the pixels begin
		size := int(binary.BigEndian.Uint16(rest[2:])) // with itself
		if size < 2 || len(rest) < 2+size {
			return 1
		}
		if exif, ok := bytes.CutPrefix(rest[4:2+size], []byte("Exif\x00\x00")); ok && rest[1] == 0xe1 {
			return tiffOrientation(exif)
		}
		rest = rest[2+size:]
	}
	return 1
}

// tiffOrientation looks for the tag in the first directory of a TIFF file.
func tiffOrientation(tiff []byte) int {
	const header, entry, tag = 8, 12, 274
	if len(tiff) < header {
		return 1
	}
	var order binary.ByteOrder = binary.LittleEndian
	if tiff[0] == 'M' {
		order = binary.BigEndian
	}
	at := int64(order.Uint32(tiff[4:]))
	if at+2 > int64(len(tiff)) {
		return 1
	}
	entries := tiff[at+2:]
	for range order.Uint16(tiff[at:]) {
		if len(entries) < entry {
			return 1
		}
		if order.Uint16(entries) == tag {
			if o := int(order.Uint16(entries[8:])); o >= 1 && o <= 8 {
				return o
			}
			return 1
		}
		entries = entries[entry:]
	}
	return 1
}

// upright turns a square picture, and mirrors it where that is needed, so that it is seen as it was taken.
func upright(src *image.RGBA, orientation int) *image.RGBA {
	if orientation == 1 {
		return src
	}
	last := src.Rect.Dx() - 1
	dst := image.NewRGBA(src.Rect)
	for y := range last + 1 {
		for x := range last + 1 {
			fromX, fromY := x, y
			switch orientation {
			case 2:
				fromX = last - x
			case 3:
				fromX, fromY = last-x, last-y
			case 4:
				fromY = last - y
			case 5:
				fromX, fromY = y, x
			case 6:
				fromX, fromY = y, last-x
			case 7:
				fromX, fromY = last-y, last-x
			case 8:
				fromX, fromY = last-y, x
			}
			dst.SetRGBA(x, y, src.RGBAAt(fromX, fromY))
		}
	}
	return dst
}
