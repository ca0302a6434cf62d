package preview

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	_ "image/png" // pages name pictures of this format, too

	"kabar"
)

const (
	thumbnailWidth = 320       // pixels at most
	maxHeight      = 480       // pixels of the thumbnail at most
	maxPixels      = 2_000_000 // of a picture that is decoded: up to 16 MiB of memory, for one at a time
	quality        = 70
)

// thumbnail makes a small JPEG of a picture; nil when that is not possible. What it returns holds nothing of the original
// but its look.
func thumbnail(b []byte) []byte {
	c, _, err := image.DecodeConfig(bytes.NewReader(b))
	if err != nil || c.Width < 1 || c.Height < 1 || c.Width > maxPixels/c.Height {
		return nil
	}
	full, _, err := image.Decode(bytes.NewReader(b))
	if err != nil {
		return nil
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, shrink(full), &jpeg.Options{Quality: quality}); err != nil || out.Len() > kabar.MaxPreviewImage {
		return nil
	}
	return out.Bytes()
}

// shrink scales a picture down by averaging, with white behind what is transparent.
func shrink(m image.Image) image.Image {
	b := m.Bounds()
	width := min(thumbnailWidth, b.Dx())
	height := max(1, b.Dy()*width/b.Dx())
	if height > maxHeight {
		height = maxHeight
		width = max(1, b.Dx()*height/b.Dy())
	}
	small := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			from := image.Rect(b.Min.X+x*b.Dx()/width, b.Min.Y+y*b.Dy()/height, b.Min.X+(x+1)*b.Dx()/width, b.Min.Y+(y+1)*b.Dy()/height)
			small.SetRGBA(x, y, average(m, from))
		}
	}
	return small
}

// average returns the mean colour of a part of a picture.
func average(m image.Image, part image.Rectangle) color.RGBA {
	part.Max.X, part.Max.Y = max(part.Max.X, part.Min.X+1), max(part.Max.Y, part.Min.Y+1)
	var r, g, b, n uint64
	for y := part.Min.Y; y < part.Max.Y; y++ {
		for x := part.Min.X; x < part.Max.X; x++ {
			cr, cg, cb, ca := m.At(x, y).RGBA()
			white := uint64(0xffff - ca)
			r, g, b, n = r+uint64(cr)+white, g+uint64(cg)+white, b+uint64(cb)+white, n+1
		}
	}
	return color.RGBA{uint8(r / n >> 8), uint8(g / n >> 8), uint8(b / n >> 8), 0xff}
}
