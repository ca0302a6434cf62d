package golden

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"maps"
	"sync"
)

// Sample returns a body that does not fit into a text file by its name, the same in every run; nil for none. It must not be
// changed.
func Sample(name string) []byte { return samples()[name] }

// stickerOf is a picture of 512 x 512 with so many bytes behind its header.
func stickerOf(n int) []byte {
	b := binary.LittleEndian.AppendUint32([]byte("WEBPVP8L"), uint32(6+n))
	b = binary.LittleEndian.AppendUint32(append(b, 0x2f), 511|511<<14)
	b = append(b, make([]byte, n+1)...)
	return append(binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(len(b))), b...)
}

// samples are made once: some are large.
var samples = sync.OnceValue(func() map[string][]byte {
	all := map[string][]byte{
		"png":      pngDot(),
		"cut":      pngDot()[:60],
		"bomb":     pngBomb(),
		"jpeg":     jpegDot(),
		"vorbis":   append([]byte("OggS\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x1e\x01vorbis"), make([]byte, 23)...),
		"opus":     []byte("OggS\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x13OpusHead\x01\x01\x00\x00\x80\xbb\x00\x00\x00\x00\x00"),
		"stereo":   []byte("OggS\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x13OpusHead\x01\x02\x00\x00\x80\xbb\x00\x00\x00\x00\x00"),
		"mp4":      Film("mp42", Pictures("avc1"), Sound(0x40)),
		"3gp":      Film("3gp5", Pictures("avc1")),
		"hevc":     Film("mp42", Pictures("hvc1"), Sound(0x40)),
		"dubbed":   Film("mp42", Pictures("avc1"), Sound(0x40), Sound(0x40)),
		"m4a":      Film("mp42", Sound(0x40)),
		"mp3inmp4": Film("mp42", Sound(0x6b)),
		"pdf":      []byte("%PDF-1.4\n1 0 obj <<>> endobj\ntrailer <<>>\n%%EOF\n"),
		"huge":     bytes.Repeat([]byte(" "), 1<<20+1),
		"bad-utf8": []byte("{\"to\":\"34600111222\",\"text\":{\"body\":\"\xff\"}}"),
		"deep":     append(bytes.Repeat([]byte(`{"text":`), 40), bytes.Repeat([]byte("}"), 40)...),
		"webp":     stickerOf(20),
		"bigwebp":  stickerOf(500 << 10),
		"bigimage": append([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"), make([]byte, 5<<20)...),
		"photo":    Picture(800, 600),
		"bigphoto": append(Picture(800, 600), make([]byte, 5<<20)...),
		"text4096": []byte(`{"to":"34600111222","text":{"body":"` + string(bytes.Repeat([]byte("é"), 4096)) + `"}}`),
		"text4097": []byte(`{"to":"34600111222","text":{"body":"` + string(bytes.Repeat([]byte("é"), 4097)) + `"}}`),
	}
	maps.Copy(all, pems())
	return all
})

// Picture is a PNG of one colour.
func Picture(w, h int) []byte {
	m := image.NewPaletted(image.Rect(0, 0, w, h), color.Palette{color.RGBA{R: 200, G: 60, B: 20, A: 255}})
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// dot is a picture of one pixel.
func dot() image.Image { return image.NewGray(image.Rect(0, 0, 1, 1)) }

func pngDot() []byte {
	var b bytes.Buffer
	if err := png.Encode(&b, dot()); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func jpegDot() []byte {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, dot(), nil); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// pngBomb announces 50,000 by 50,000 pixels.
func pngBomb() []byte {
	b := pngDot()
	binary.BigEndian.PutUint32(b[16:], 50_000)
	binary.BigEndian.PutUint32(b[20:], 50_000)
	binary.BigEndian.PutUint32(b[29:], crc32.ChecksumIEEE(b[12:29]))
	return b
}
