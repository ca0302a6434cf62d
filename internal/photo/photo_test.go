package photo

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math/rand/v2"
	"testing"
)

// bars is a picture whose left and right fifths are red, and whose middle is blue.
func bars(w, h int) *image.RGBA {
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			c := color.RGBA{B: 255, A: 255}
			if x < w/5 || x >= w-w/5 {
				c = color.RGBA{R: 255, A: 255}
			}
			m.SetRGBA(x, y, c)
		}
	}
	return m
}

func asPNG(t *testing.T, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func asJPEG(t *testing.T, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func decoded(t *testing.T, b []byte) image.Image {
	t.Helper()
	m, err := jpeg.Decode(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestSizes(t *testing.T) {
	for _, c := range []struct{ w, h, full, small int }{
		{2000, 1000, 640, 192}, {1000, 2000, 640, 192}, {640, 640, 640, 192}, {300, 200, 200, 192}, {100, 150, 100, 100}, {1, 1, 1, 1},
	} {
		for _, file := range [][]byte{asPNG(t, bars(c.w, c.h)), asJPEG(t, bars(c.w, c.h))} {
			p, err := Make(file, 24<<10)
			if err != nil {
				t.Fatalf("%d x %d: %v", c.w, c.h, err)
			}
			if b := decoded(t, p.Full).Bounds(); b.Dx() != c.full || b.Dy() != c.full {
				t.Errorf("%d x %d: the picture is %v", c.w, c.h, b)
			}
			if b := decoded(t, p.Small).Bounds(); b.Dx() != c.small || b.Dy() != c.small || len(p.Small) > 24<<10 {
				t.Errorf("%d x %d: the small picture is %v, %d bytes", c.w, c.h, b, len(p.Small))
			}
		}
	}
}

func TestTheMiddleIsKept(t *testing.T) {
	p, err := Make(asPNG(t, bars(2000, 1000)), 24<<10)
	if err != nil {
		t.Fatal(err)
	}
	m := decoded(t, p.Full) // 500 to 1500 of the width: the red bars end at 400
	for _, at := range []image.Point{{2, 2}, {637, 2}, {2, 637}, {320, 320}} {
		if r, _, b, _ := m.At(at.X, at.Y).RGBA(); b < 0xe000 || r > 0x2000 {
			t.Errorf("at %v the picture is %v", at, m.At(at.X, at.Y))
		}
	}
}

func TestTransparencyIsWhite(t *testing.T) {
	p, err := Make(asPNG(t, image.NewNRGBA(image.Rect(0, 0, 50, 50))), 24<<10)
	if err != nil {
		t.Fatal(err)
	}
	if r, g, b, _ := decoded(t, p.Full).At(25, 25).RGBA(); min(r, g, b) < 0xf000 {
		t.Errorf("a transparent picture is %x %x %x", r, g, b)
	}
}

// TestNoiseFits makes the small picture of what compresses worst.
func TestNoiseFits(t *testing.T) {
	m := image.NewRGBA(image.Rect(0, 0, 400, 400))
	random := rand.NewChaCha8([32]byte{1})
	_, _ = random.Read(m.Pix)
	p, err := Make(asPNG(t, m), 24<<10)
	if err != nil || len(p.Small) > 24<<10 {
		t.Errorf("%v, %d bytes", err, len(p.Small))
	}
}

func TestRefused(t *testing.T) {
	whole := asJPEG(t, bars(300, 300))
	for name, file := range map[string][]byte{
		"nothing": nil, "text": []byte("hello"), "gif": []byte("GIF89a\x01\x00\x01\x00\x00\x00\x00;"), "half": whole[:len(whole)/2],
		"bomb": bomb(50_000, 50_000), "wide bomb": bomb(1<<30, 1<<30), "long": bomb(1, 1<<25),
	} {
		if _, err := Make(file, 24<<10); !errors.Is(err, ErrNotAPicture) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// bomb is a PNG that says to be large and has no pixels.
func bomb(w, h uint32) []byte {
	head := append([]byte("IHDR"), make([]byte, 13)...)
	binary.BigEndian.PutUint32(head[4:], w)
	binary.BigEndian.PutUint32(head[8:], h)
	head[12], head[13] = 8, 6
	b := append([]byte("\x89PNG\r\n\x1a\n"), 0, 0, 0, 13)
	b = append(b, head...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(head))
}
