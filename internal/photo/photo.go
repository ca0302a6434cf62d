// Package photo makes the two pictures of a business's profile out of what somebody has uploaded: a square one that the API
// gives back, and a small one that travels to customers.
//
// What it makes is encoded anew, so nothing of the file but its pixels is left: no place, no camera, no program behind the
// picture. A file that is small and would be huge once it is unpacked is refused before it is unpacked. The package keeps
// nothing and knows no profile. Its function is safe for concurrent use; it takes some 200 MB at worst, so callers let few in
// at a time.
package photo

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	_ "image/png" // for image.Decode

	"golang.org/x/image/draw"
)

// MaxBytes is the largest file that is looked at (contract On-Premises API, 1.8).
const MaxBytes = 5 << 20

// Sizes in pixels.
const (
	edge      = 640 // of the picture, at most
	smallEdge = 192 // of the small one, at most
	maxPixels = 4096 * 4096
)

// ErrNotAPicture says that a file is not what Make takes. The error that wraps it says why, in words for its sender.
var ErrNotAPicture = errors.New("not a picture that can be used")

// Picture is what Make makes: JPEGs.
type Picture struct {
	Full  []byte // square, with an edge of 640 pixels or less
	Small []byte // square, with an edge of 192 pixels or less and no more bytes than asked for
}

// Make reads a JPEG or PNG, cuts the square out of its middle, turns it as the camera was held (EXIF), and makes it smaller where
// it is too large. It never makes one larger. The small picture has at most maxSmall bytes.
func Make(file []byte, maxSmall int) (*Picture, error) {
	config, format, err := image.DecodeConfig(bytes.NewReader(file))
	switch {
	case err != nil || format != "jpeg" && format != "png":
		return nil, fmt.Errorf("%w: send a JPEG or a PNG", ErrNotAPicture)
	case config.Width < 1 || config.Height < 1 || config.Width*config.Height > maxPixels:
		return nil, fmt.Errorf("%w: it has %d x %d pixels, the limit is %d in all", ErrNotAPicture, config.Width, config.Height, maxPixels)
	}
	whole, _, err := image.Decode(bytes.NewReader(file))
	if err != nil {
		return nil, fmt.Errorf("%w: the file is damaged", ErrNotAPicture)
	}
	full := upright(square(whole, edge), orientation(file))
	out := &Picture{}
	if out.Full, err = encode(full, 90); err != nil {
		return nil, err
	}
	small := square(full, smallEdge)
	for quality := 85; ; quality -= 15 {
		if out.Small, err = encode(small, quality); err != nil || len(out.Small) <= maxSmall {
			return out, err
		}
		if quality < 20 {
			return nil, fmt.Errorf("%w: it cannot be made small enough", ErrNotAPicture)
		}
	}
}

// square cuts the middle out of a picture, on white where it is transparent, with an edge of at most most pixels.
func square(src image.Image, most int) *image.RGBA {
	b := src.Bounds()
	side := min(b.Dx(), b.Dy())
	corner := b.Min.Add(image.Pt((b.Dx()-side)/2, (b.Dy()-side)/2))
	middle := image.Rectangle{corner, corner.Add(image.Pt(side, side))}
	dst := image.NewRGBA(image.Rect(0, 0, min(side, most), min(side, most)))
	draw.Draw(dst, dst.Bounds(), image.NewUniform(color.White), image.Point{}, draw.Src)
	draw.CatmullRom.Scale(dst, dst.Bounds(), src, middle, draw.Over, nil)
	return dst
}

func encode(m image.Image, quality int) ([]byte, error) {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, &jpeg.Options{Quality: quality}); err != nil {
		return nil, fmt.Errorf("encode picture: %w", err)
	}
	return b.Bytes(), nil
}
