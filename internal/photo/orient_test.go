package photo

import (
	"encoding/binary"
	"image"
	"image/color"
	"testing"
)

// turned returns a JPEG that says how the camera was held.
func turned(t *testing.T, m image.Image, order binary.AppendByteOrder, mark string, orientation uint16) []byte {
	t.Helper()
	tiff := order.AppendUint32(order.AppendUint16([]byte(mark), 42), 8)
	tiff = order.AppendUint16(tiff, 2) // entries
	for _, e := range [][2]uint16{{271, 7}, {274, orientation}} {
		tiff = order.AppendUint32(order.AppendUint16(order.AppendUint16(tiff, e[0]), 3), 1)
		tiff = order.AppendUint16(order.AppendUint16(tiff, e[1]), 0)
	}
	exif := append([]byte("Exif\x00\x00"), tiff...)
	file := asJPEG(t, m)
	out := append([]byte{0xff, 0xd8, 0xff, 0xe1}, binary.BigEndian.AppendUint16(nil, uint16(len(exif)+2))...)
	return append(append(out, exif...), file[2:]...)
}

// corners is a square with a red, a green, a blue and a white quarter, clockwise from the upper left.
func corners() *image.RGBA {
	m := image.NewRGBA(image.Rect(0, 0, 64, 64))
	for y := range 64 {
		for x := range 64 {
			c := color.RGBA{R: 255, A: 255}
			switch {
			case x >= 32 && y >= 32:
				c = color.RGBA{B: 255, A: 255}
			case x >= 32:
				c = color.RGBA{G: 255, A: 255}
			case y >= 32:
				c = color.RGBA{R: 255, G: 255, B: 255, A: 255}
			}
			m.SetRGBA(x, y, c)
		}
	}
	return m
}

// seen names the colours of the quarters, clockwise from the upper left.
func seen(m image.Image) string {
	out := ""
	for _, p := range []image.Point{{16, 16}, {48, 16}, {48, 48}, {16, 48}} {
		r, g, b, _ := m.At(p.X, p.Y).RGBA()
		switch {
		case r > 0x8000 && g > 0x8000:
			out += "w"
		case r > 0x8000:
			out += "r"
		case g > 0x8000:
			out += "g"
		case b > 0x8000:
			out += "b"
		}
	}
	return out
}

func TestAPictureIsUpright(t *testing.T) {
	for orientation, want := range map[uint16]string{0: "rgbw", 1: "rgbw", 2: "grwb", 3: "bwrg", 4: "wbgr", 5: "rwbg", 6: "wrgb", 7: "bgrw", 8: "gbwr", 9: "rgbw"} {
		for mark, order := range map[string]binary.AppendByteOrder{"II": binary.LittleEndian, "MM": binary.BigEndian} {
			p, err := Make(turned(t, corners(), order, mark, orientation), 64<<10)
			if err != nil {
				t.Fatal(err)
			}
			if full, small := seen(decoded(t, p.Full)), seen(decoded(t, p.Small)); full != want || small != want {
				t.Errorf("%s %d: %s and %s, want %s", mark, orientation, full, small, want)
			}
		}
	}
}

func TestOrientationOfDamagedFiles(t *testing.T) {
	file := turned(t, corners(), binary.LittleEndian, "II", 6)
	for n := range 80 {
		if o := orientation(file[:n]); o != 1 && o != 6 {
			t.Errorf("of %d bytes: %d", n, o)
		}
	}
	for i := range 80 {
		bent := append([]byte(nil), file...)
		bent[i] ^= 0xff
		orientation(bent) // must end, and not panic
	}
}
