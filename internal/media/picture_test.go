package media

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/jpeg"
	"image/png"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func pngOf(t testing.TB, width, height int) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, width, height))); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func jpegOf(t testing.TB, width, height int) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, image.NewRGBA(image.Rect(0, 0, width, height)), nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// announced changes the size in a PNG's header, with the right checksum.
func announced(b []byte, width, height uint32) []byte {
	b = bytes.Clone(b)
	binary.BigEndian.PutUint32(b[16:], width)
	binary.BigEndian.PutUint32(b[20:], height)
	binary.BigEndian.PutUint32(b[29:], crc32.ChecksumIEEE(b[12:29]))
	return b
}

// riff returns a WebP file of chunks.
func riff(chunks ...string) []byte {
	body := "WEBP" + strings.Join(chunks, "")
	return append(binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(len(body))), body...)
}

func chunkOf(name, data string) string {
	b := append(binary.LittleEndian.AppendUint32([]byte(name), uint32(len(data))), data...)
	if len(data)%2 == 1 {
		b = append(b, 0)
	}
	return string(b)
}

func lossy(width, height uint16) string {
	b := binary.LittleEndian.AppendUint16([]byte("\x30\x01\x00\x9d\x01\x2a"), width)
	return chunkOf("VP8 ", string(binary.LittleEndian.AppendUint16(b, height))+"data")
}

func lossless(width, height uint32) string {
	return chunkOf("VP8L", string(binary.LittleEndian.AppendUint32([]byte{0x2f}, width-1|(height-1)<<14))+"data")
}

func canvas(flags byte, width, height uint32) string {
	b := []byte{flags, 0, 0, 0, byte(width - 1), byte((width - 1) >> 8), byte((width - 1) >> 16), byte(height - 1), byte((height - 1) >> 8), byte((height - 1) >> 16)}
	return chunkOf("VP8X", string(b))
}

// tinyWebP was written by another encoder: one pixel, lossy.
func tinyWebP(t testing.TB) []byte {
	b, err := base64.StdEncoding.DecodeString("UklGRiIAAABXRUJQVlA4IBYAAAAwAQCdASoBAAEADsD+JaQAA3AAAAAA")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestInspect(t *testing.T) {
	for name, c := range map[string]struct {
		mime string
		file []byte
		want Picture
	}{
		"png":             {"image/png", pngOf(t, 30, 20), Picture{Width: 30, Height: 20}},
		"large png":       {"image/png", pngOf(t, 3000, 2000), Picture{Width: 3000, Height: 2000}},
		"jpeg":            {"image/jpeg", jpegOf(t, 31, 17), Picture{Width: 31, Height: 17}},
		"jpeg and more":   {"image/jpeg", append(jpegOf(t, 8, 8), "a film"...), Picture{Width: 8, Height: 8}},
		"webp":            {"image/webp", tinyWebP(t), Picture{Width: 1, Height: 1}},
		"lossy":           {"image/webp", riff(lossy(512, 511)), Picture{Width: 512, Height: 511}},
		"lossless":        {"image/webp", riff(lossless(512, 3)), Picture{Width: 512, Height: 3}},
		"extended":        {"image/webp", riff(canvas(0x10, 512, 512), chunkOf("ALPH", "odd"), lossy(500, 500)), Picture{Width: 512, Height: 512}},
		"animated":        {"image/webp", riff(canvas(2, 512, 512), chunkOf("ANIM", "123456"), chunkOf("ANMF", "frame"), chunkOf("ANMF", "frame2")), Picture{512, 512, true}},
		"webp and more":   {"image/webp", append(riff(lossy(9, 9)), "more"...), Picture{Width: 9, Height: 9}},
		"50 megapixels":   {"image/png", announced(pngOf(t, 1, 1), 10_000, 5_000), Picture{Width: 10_000, Height: 5_000}},
		"unknown segment": {"image/jpeg", append([]byte("\xff\xd8\xff\xef\x00\x04ab"), jpegOf(t, 5, 5)[2:]...), Picture{Width: 5, Height: 5}},
	} {
		got, err := Inspect(iotest.HalfReader(bytes.NewReader(c.file)), c.mime)
		if err != nil || got != c.want {
			t.Errorf("%s: %+v, %v, want %+v", name, got, err, c.want)
		}
	}
}

func TestInspectRefuses(t *testing.T) {
	flipped := func(b []byte, at int) []byte {
		b = bytes.Clone(b)
		b[at] ^= 1
		return b
	}
	whole := pngOf(t, 30, 20)
	for name, c := range map[string]struct {
		mime string
		file []byte
	}{
		"nothing":             {"image/png", nil},
		"another type":        {"image/gif", []byte("GIF89a")},
		"no png":              {"image/png", jpegOf(t, 1, 1)},
		"no jpeg":             {"image/jpeg", whole},
		"no webp":             {"image/webp", whole},
		"png without content": {"image/png", append(bytes.Clone(whole[:33]), whole[len(whole)-12:]...)},
		"png, header later":   {"image/png", append(bytes.Clone(whole[:8]), whole[33:]...)},
		"png, bad checksum":   {"image/png", flipped(whole, 20)},
		"png, bad content":    {"image/png", flipped(whole, 45)},
		"png, no width":       {"image/png", announced(whole, 0, 5)},
		"png, bomb":           {"image/png", announced(whole, 50_000, 50_000)},
		"png, largest bomb":   {"image/png", announced(whole, 1<<32-1, 1<<32-1)},
		"jpeg without scan":   {"image/jpeg", []byte("\xff\xd8\xff\xc0\x00\x0b\x08\x00\x05\x00\x05\x01\x00\x11\x00\xff\xd9")},
		"jpeg without frame":  {"image/jpeg", []byte("\xff\xd8\xff\xda\x00\x02\x00\x00\xff\xd9")},
		"jpeg, short segment": {"image/jpeg", []byte("\xff\xd8\xff\xe0\x00\x01\xff\xd9")},
		"jpeg, bomb":          {"image/jpeg", bytes.Replace(jpegOf(t, 258, 258), []byte{1, 2, 1, 2}, []byte{255, 255, 255, 255}, 1)},
		"webp without image":  {"image/webp", riff(canvas(0, 512, 512))},
		"webp, empty":         {"image/webp", riff()},
		"webp, long chunk":    {"image/webp", riff(lossy(5, 5) + "VP8 \xff\xff\xff\xff")},
		"webp, no key frame":  {"image/webp", riff(chunkOf("VP8 ", "0123456789"))},
		"webp, bomb":          {"image/webp", riff(canvas(0, 1<<24, 1<<24), lossy(1, 1))},
	} {
		_, err := Inspect(bytes.NewReader(c.file), c.mime)
		var e *FormatError
		if !errors.As(err, &e) || len(e.Error()) < 20 {
			t.Errorf("%s: %v, want a FormatError", name, err)
		}
	}
}

// Wherever a picture is cut, that is seen.
func TestInspectSeesWhatIsMissing(t *testing.T) {
	for mime, file := range map[string][]byte{
		"image/png": pngOf(t, 30, 20), "image/jpeg": jpegOf(t, 30, 20), "image/webp": riff(canvas(0, 9, 9), chunkOf("ALPH", "odd"), lossy(9, 9)),
	} {
		for n := range file {
			if p, err := Inspect(bytes.NewReader(file[:n]), mime); err == nil {
				t.Errorf("%s: %d of %d bytes pass as %+v", mime, n, len(file), p)
			}
		}
	}
}

func TestInspectGivesTheReadersError(t *testing.T) {
	disk := errors.New("disk")
	for _, mime := range []string{"image/png", "image/jpeg", "image/webp"} {
		if _, err := Inspect(iotest.ErrReader(disk), mime); !errors.Is(err, disk) {
			t.Errorf("%s: %v", mime, err)
		}
	}
}

func TestInspects(t *testing.T) {
	if !Inspects("image/png", 5<<20) || Inspects("image/png", 5<<20+1) || Inspects("image/gif", 1) || Inspects("application/pdf", 1) {
		t.Error("wrong files are inspected")
	}
}

func TestCheckSticker(t *testing.T) {
	moving := riff(canvas(2, 512, 512), chunkOf("ANMF", "frame"))
	for name, c := range map[string]struct {
		file []byte
		size int64
		ok   bool
	}{
		"still":        {riff(lossy(512, 512)), 100 << 10, true},
		"moving":       {moving, 500 << 10, true},
		"heavy":        {riff(lossy(512, 512)), 100<<10 + 1, false},
		"small":        {riff(lossy(511, 512)), 1000, false},
		"flat":         {riff(lossy(512, 511)), 1000, false},
		"small moving": {riff(canvas(2, 256, 256), chunkOf("ANMF", "frame")), 1000, false},
		"broken":       {moving[:20], 20, false},
	} {
		err := CheckSticker(bytes.NewReader(c.file), c.size)
		if (err == nil) != c.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzInspect(f *testing.F) {
	f.Add(pngOf(f, 3, 3), byte(0))
	f.Add(jpegOf(f, 3, 3), byte(1))
	f.Add(tinyWebP(f), byte(2))
	f.Add(riff(canvas(2, 512, 512), chunkOf("ANMF", "frame")), byte(2))
	f.Fuzz(func(t *testing.T, b []byte, kind byte) {
		mime := []string{"image/png", "image/jpeg", "image/webp"}[kind%3]
		p, err := Inspect(bytes.NewReader(b), mime)
		var e *FormatError
		if err != nil && !errors.As(err, &e) {
			t.Fatalf("error %v", err)
		}
		if err == nil && (p.Width < 1 || p.Height < 1 || p.Width*p.Height > maxPixels) {
			t.Fatalf("%+v passes", p)
		}
		if mime == "image/webp" || err != nil {
			return
		}
		// What the standard library can open has the size we say.
		if c, _, err := image.DecodeConfig(io.LimitReader(bytes.NewReader(b), 1<<20)); err == nil && (c.Width != p.Width || c.Height != p.Height) {
			t.Fatalf("%+v, want %d by %d", p, c.Width, c.Height)
		}
	})
}
