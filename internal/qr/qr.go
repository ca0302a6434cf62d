// Package qr draws texts as QR codes: PNG for print, SVG for any size.
//
// It draws and nothing else: what a code says, and who may have it, is its callers'.
package qr

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"strings"

	"github.com/boombuler/barcode/qr"
)

// How a code is drawn. The standard wants a margin of four modules.
const (
	margin = 4  // modules
	module = 10 // pixels of a module in a PNG
)

// PNG returns the code of a text as a picture in black and white.
func PNG(text string) ([]byte, error) {
	m, err := encode(text)
	if err != nil {
		return nil, err
	}
	side := (m.side + 2*margin) * module
	img := image.NewPaletted(image.Rect(0, 0, side, side), color.Palette{color.White, color.Black})
	for y := range side {
		for x := range side {
			if m.black(x/module-margin, y/module-margin) {
				img.SetColorIndex(x, y, 1)
			}
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		return nil, fmt.Errorf("draw a QR code: %w", err)
	}
	return b.Bytes(), nil
}

// SVG returns the code of a text as a drawing: one path, of a run of black modules a step.
func SVG(text string) ([]byte, error) {
	m, err := encode(text)
	if err != nil {
		return nil, err
	}
	side := m.side + 2*margin
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" shape-rendering="crispEdges"><path fill="#fff" d="M0 0h%dv%dH0z"/><path d="`,
		side, side, side, side)
	for y := range m.side {
		for x := 0; x < m.side; x++ {
			run := 0
			for m.black(x+run, y) {
				run++
			}
			if run > 0 {
				fmt.Fprintf(&b, "M%d %dh%dv1h-%dz", x+margin, y+margin, run, run)
				x += run
			}
		}
	}
	b.WriteString(`"/></svg>`)
	return []byte(b.String()), nil
}

// matrix is a code without its margin.
type matrix struct {
	img  image.Image
	side int // modules
}

func encode(text string) (*matrix, error) {
	code, err := qr.Encode(text, qr.M, qr.Auto)
	if err != nil {
		return nil, fmt.Errorf("encode a QR code: %w", err)
	}
	return &matrix{code, code.Bounds().Dx()}, nil
}

// black reports whether a module is; those of the margin are not.
func (m *matrix) black(x, y int) bool {
	if x < 0 || y < 0 || x >= m.side || y >= m.side {
		return false
	}
	r, _, _, _ := m.img.At(x, y).RGBA()
	return r == 0
}
