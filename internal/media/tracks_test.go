package media

import (
	"bytes"
	"errors"
	"slices"
	"testing"
	"testing/iotest"

	"kabar/internal/golden"
)

const aac = 0x40

// sounds returns a track of sound whose entry holds what is given, behind the fields of a version.
func sounds(version byte, more int, content ...[]byte) golden.Track {
	fields := make([]byte, 28+more)
	fields[9] = version
	return golden.Track{Handler: "soun", Entry: golden.Box("mp4a", append([][]byte{fields}, content...)...)}
}

// esds returns the box that names a codec of sound: descriptors behind version and flags.
func esds(descriptors ...byte) []byte {
	return golden.Box("esds", []byte{0, 0, 0, 0}, descriptors)
}

func both(t golden.Track, entry []byte) golden.Track {
	t.Entry = slices.Concat(t.Entry, entry)
	return t
}

func TestCheckTracks(t *testing.T) {
	h264, film := golden.Pictures("avc1"), golden.Film
	wide := golden.Box("mdat", make([]byte, 16)) // its size in 64 bits
	wide[3], wide[15] = 1, 24
	open := golden.Box("mdat", make([]byte, 99)) // up to the end
	open[3] = 0
	for name, c := range map[string]struct {
		kind string
		file []byte
		want string // what is wrong
	}{
		"film":                      {"video", film("mp42", h264, golden.Sound(aac)), ""},
		"silent":                    {"video", film("3gp5", h264), ""},
		"avc3":                      {"video", film("mp42", golden.Pictures("avc3"), golden.Sound(0x67)), ""},
		"subtitles":                 {"video", film("mp42", h264, golden.Track{Handler: "sbtl", Entry: golden.Box("tx3g")}), ""},
		"wide box":                  {"video", append(wide, film("mp42", h264)...), ""},
		"open box":                  {"video", append(film("mp42", h264), open...), ""},
		"a few bytes more":          {"video", append(film("mp42", h264), 0, 0, 0), ""},
		"QuickTime's fields":        {"video", film("mp42", h264, sounds(1, 16, golden.Box("wave", esds(3, 5, 0, 1, 0, 4, 1, aac)))), ""},
		"QuickTime's second fields": {"audio", film("mp42", sounds(2, 36, esds(3, 5, 0, 1, 0, 4, 1, aac))), ""},
		"long lengths":              {"audio", film("mp42", sounds(0, 0, esds(3, 0x80, 0x80, 0x80, 5, 0, 1, 0, 4, 0x80, 0x80, 0x80, 1, aac))), ""},
		"all flags":                 {"audio", film("mp42", sounds(0, 0, esds(3, 9, 0, 1, 0xe0, 0, 1, 2, 'h', 'i', 0, 1, 4, 1, aac))), ""},
		"sound":                     {"audio", film("M4A ", golden.Sound(aac)), ""},
		"sound of a film":           {"audio", film("mp42", golden.Pictures("hvc1"), golden.Sound(aac)), ""},

		"HEVC":               {"video", film("mp42", golden.Pictures("hvc1"), golden.Sound(aac)), `the video has pictures in "hvc1", allowed is H.264`},
		"H.263":              {"video", film("3gp4", golden.Pictures("s263")), `the video has pictures in "s263", allowed is H.264`},
		"encrypted":          {"video", film("mp42", golden.Pictures("encv")), `the video has pictures in "encv", allowed is H.264`},
		"two codecs":         {"video", film("mp42", both(h264, golden.Box("hvc1", make([]byte, 78)))), `the video has pictures in "hvc1", allowed is H.264`},
		"no codec":           {"video", film("mp42", golden.Track{Handler: "vide"}), `the video has pictures in "nothing", allowed is H.264`},
		"second picture":     {"video", film("mp42", h264, golden.Pictures("av01")), `the video has pictures in "av01", allowed is H.264`},
		"two sounds":         {"video", film("mp42", h264, golden.Sound(aac), golden.Sound(aac)), "the video has 2 tracks of sound, allowed is one"},
		"MP3":                {"video", film("mp42", h264, golden.Sound(0x6b)), `the video has sound in "mp4a, object type 0x6b", allowed is AAC`},
		"AMR":                {"video", film("3gp4", h264, golden.Track{Handler: "soun", Entry: golden.Box("samr", make([]byte, 28))}), `the video has sound in "samr", allowed is AAC`},
		"no pictures":        {"video", film("mp42", golden.Sound(aac)), "the video has no pictures"},
		"Opus":               {"audio", film("mp42", golden.Track{Handler: "soun", Entry: golden.Box("Opus", make([]byte, 28))}), `the audio has sound in "Opus", allowed is AAC`},
		"no description":     {"audio", film("mp42", sounds(0, 0)), `the audio has sound in "mp4a", allowed is AAC`},
		"damaged sound":      {"audio", film("mp42", sounds(0, 0, esds(3, 5, 0, 1))), "the file has damaged boxes"},
		"another descriptor": {"audio", film("mp42", sounds(0, 0, esds(3, 5, 0, 1, 0, 5, 1, aac))), "the file has damaged boxes"},
		"no sound":           {"audio", film("mp42", h264), "the audio has no sound"},
		"no tracks":          {"video", film("mp42"), "the video has no pictures"},
		"no list":            {"video", golden.Box("ftyp", []byte("mp42\x00\x00\x00\x00")), "the file has no list of its tracks"},
		"cut off":            {"video", film("mp42", h264)[:100], "the file is not complete"},
		"small box":          {"video", append(film("mp42", h264), 0, 0, 0, 7, 'f', 'r', 'e', 'e'), "the file has damaged boxes"},
		"small wide box":     {"video", append(film("mp42", h264), 0, 0, 0, 1, 'f', 'r', 'e', 'e', 0, 0, 0, 0, 0, 0, 0, 15), "the file has damaged boxes"},
		"negative box":       {"video", append(film("mp42", h264), 0, 0, 0, 1, 'f', 'r', 'e', 'e', 0xff, 0, 0, 0, 0, 0, 0, 15), "the file has damaged boxes"},
		"short handler":      {"video", golden.Box("moov", golden.Box("trak", golden.Box("mdia", golden.Box("hdlr", make([]byte, 9))))), "the file has damaged boxes"},
		"many boxes":         {"video", append(film("mp42", h264), bytes.Repeat(golden.Box("free"), maxBoxes)...), "the file has too many boxes"},
	} {
		err := CheckTracks(c.kind, bytes.NewReader(c.file), int64(len(c.file)))
		if fault, ok := errors.AsType[*FormatError](err); err != nil && !ok || ok && fault.Error() != c.want || err == nil && c.want != "" {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

func TestHasTracks(t *testing.T) {
	for _, c := range []struct {
		kind, mime string
		want       bool
	}{
		{"video", "video/mp4", true}, {"video", "video/3gpp", true}, {"audio", "audio/mp4", true},
		{"audio", "audio/aac", false}, {"audio", oggOpus, false}, {"document", "video/mp4", false}, {"image", "image/png", false},
	} {
		if got := HasTracks(c.kind, c.mime); got != c.want {
			t.Errorf("%s as %s: %v", c.mime, c.kind, got)
		}
	}
}

// What a disk says is no fault of the file, and a file that ends before its size does is one.
func TestCheckTracksReadErrors(t *testing.T) {
	file := golden.Film("mp42", golden.Pictures("avc1"))
	if err := CheckTracks("video", brokenDisk{}, int64(len(file))); !errors.Is(err, iotest.ErrTimeout) {
		t.Errorf("%v, want the reader's own error", err)
	}
	if _, ok := errors.AsType[*FormatError](CheckTracks("video", bytes.NewReader(file), int64(len(file)+100))); !ok {
		t.Error("a file that is shorter than its size was taken")
	}
}

type brokenDisk struct{}

func (brokenDisk) Read([]byte) (int, error)                { return 0, iotest.ErrTimeout }
func (brokenDisk) Seek(offset int64, _ int) (int64, error) { return offset, nil }

func FuzzInspectTracks(f *testing.F) {
	f.Add(golden.Film("mp42", golden.Pictures("avc1"), golden.Sound(aac)))
	f.Add(golden.Film("mp42", sounds(1, 16, golden.Box("wave", esds(3, 0x80, 9, 0, 1, 0xe0, 0, 1, 2, 'h', 'i', 0, 1, 4, 1, aac)))))
	f.Add(golden.Box("moov", golden.Box("trak")))
	f.Fuzz(func(t *testing.T, file []byte) {
		found, err := InspectTracks(bytes.NewReader(file), int64(len(file)))
		if _, ok := errors.AsType[*FormatError](err); err != nil && !ok {
			t.Errorf("%v is no fault of the file", err)
		}
		if n := len(found.Pictures) + len(found.Sounds); n > len(file)/8 {
			t.Errorf("%d tracks in %d bytes", n, len(file))
		}
	})
}
