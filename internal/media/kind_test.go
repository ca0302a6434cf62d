package media

import (
	"errors"
	"mime"
	"strings"
	"testing"
)

// Starts of files, each as short as its format allows.
var samples = map[string]string{
	"jpeg":   "\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00",
	"png":    "\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x02\x00\x00\x00",
	"gif":    "GIF89a\x01\x00\x01\x00\x00\x00\x00",
	"webp":   "RIFF\x24\x00\x00\x00WEBPVP8 \x18\x00\x00\x00",
	"svg":    "<?xml version=\"1.0\"?><svg xmlns=\"http://www.w3.org/2000/svg\"></svg>",
	"opus":   oggPage("OpusHead\x01\x01\x38\x01\x80\xbb\x00\x00\x00\x00\x00"),
	"vorbis": oggPage("\x01vorbis\x00\x00\x00\x00\x02\x44\xac\x00\x00\x00\x00\x00\x00"),
	"theora": oggPage("\x80theora\x03\x02\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"),
	"mp3":    "ID3\x04\x00\x00\x00\x00\x00\x0aTSSE\x00\x00\x00\x00\x00\x00",
	"aac":    "\xff\xf1\x50\x80\x02\x1f\xfc\xde\x02\x00",
	"amr":    "#!AMR\n\x3c\x91\x17\x16\xbe\x66\x79",
	"mp4":    "\x00\x00\x00\x20ftypisom\x00\x00\x02\x00isomiso2avc1mp41\x00\x00\x00\x08free",
	"m4a":    "\x00\x00\x00\x1cftypM4A \x00\x00\x02\x00M4A isomiso2\x00\x00\x00\x08free",
	"3gp":    "\x00\x00\x00\x18ftyp3gp4\x00\x00\x02\x003gp4isom\x00\x00\x00\x08free",
	"mov":    "\x00\x00\x00\x14ftypqt  \x00\x00\x02\x00qt  \x00\x00\x00\x08wide",
	"wav":    "RIFF\x24\x00\x00\x00WAVEfmt \x10\x00\x00\x00",
	"pdf":    "%PDF-1.7\n%\xe2\xe3\xcf\xd3\n",
	"zip":    "PK\x03\x04\x14\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x05\x00\x00\x00a.txt",
	"html":   "<!DOCTYPE html><html><script>alert(1)</script></html>",
	"text":   "Dear customer, thank you for your order.\n",
	"exe":    "MZ\x90\x00\x03\x00\x00\x00\x04\x00\x00\x00\xff\xff",
	"bytes":  "\x00\x01\x02\x03\xfe\xfd\xfc\x00\x00\x07",
}

// oggPage returns the first page of an Ogg stream with one packet.
func oggPage(packet string) string {
	return "OggS\x00\x02" + strings.Repeat("\x00", 20) + "\x01" + string(rune(len(packet))) + packet
}

func TestSniff(t *testing.T) {
	tests := []struct {
		sample, declared string
		want             string // "": a TypeError
	}{
		{"jpeg", "", "image/jpeg"}, {"jpeg", "image/jpeg", "image/jpeg"}, {"jpeg", "IMAGE/JPEG; q=1", "image/jpeg"},
		{"jpeg", "image/jpg", "image/jpeg"}, {"jpeg", "image/png", "image/jpeg"}, {"jpeg", "application/octet-stream", "image/jpeg"},
		{"jpeg", "application/pdf", "image/jpeg"}, {"jpeg", "audio/aac", ""}, {"jpeg", "video/mp4", ""},
		{"png", "", "image/png"}, {"png", "image/webp", "image/png"}, {"gif", "image/gif", "image/gif"}, {"gif", "image/png", "image/gif"},
		{"webp", "image/webp", "image/webp"}, {"webp", "", "image/webp"},
		{"svg", "image/svg+xml", "image/svg+xml"}, {"svg", "image/png", "image/svg+xml"},
		{"opus", "", oggOpus}, {"opus", "audio/ogg", oggOpus}, {"opus", "audio/ogg; codecs=opus", oggOpus},
		{"opus", "audio/ogg; codecs=vorbis", oggOpus}, {"opus", "application/ogg", oggOpus}, {"opus", "audio/mpeg", oggOpus},
		{"vorbis", "", "audio/ogg"}, {"vorbis", "audio/ogg; codecs=opus", "audio/ogg"}, {"vorbis", "audio/ogg", "audio/ogg"},
		{"theora", "video/ogg", "video/ogg"}, {"theora", "audio/ogg; codecs=opus", ""},
		{"mp3", "audio/mpeg", "audio/mpeg"}, {"mp3", "audio/mp3", "audio/mpeg"}, {"mp3", "", "audio/mpeg"},
		{"aac", "audio/aac", "audio/aac"}, {"aac", "audio/x-aac", "audio/aac"}, {"aac", "", "audio/aac"},
		{"amr", "audio/amr", "audio/amr"}, {"amr", "", "audio/amr"},
		{"mp4", "video/mp4", "video/mp4"}, {"mp4", "", "video/mp4"}, {"mp4", "audio/mp4", "audio/mp4"}, {"mp4", "audio/x-m4a", "audio/mp4"},
		{"m4a", "audio/mp4", "audio/mp4"}, {"m4a", "", "audio/mp4"}, {"m4a", "video/mp4", ""}, {"m4a", "audio/aac", "audio/mp4"},
		{"3gp", "video/3gpp", "video/3gpp"}, {"3gp", "video/mp4", "video/3gpp"}, {"3gp", "", "video/3gpp"},
		{"mov", "video/mp4", "video/quicktime"}, {"wav", "audio/mpeg", "audio/wav"},
		{"pdf", "application/pdf", "application/pdf"}, {"pdf", "", "application/pdf"}, {"pdf", "image/jpeg", ""},
		{"pdf", "text/plain", "application/pdf"},
		{"zip", "application/vnd.openxmlformats-officedocument.wordprocessingml.document", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
		{"zip", "", "application/zip"}, {"zip", "image/png", ""},
		{"html", "image/png", ""}, {"html", "application/pdf", "text/html"}, {"html", "", "text/html"}, {"html", "text/plain", "text/html"},
		{"text", "text/csv; charset=utf-8", "text/csv"}, {"text", "", "text/plain"}, {"text", "audio/mpeg", ""},
		{"exe", "image/jpeg", ""}, {"exe", "application/pdf", "application/vnd.microsoft.portable-executable"},
		{"text", "application/x-www-form-urlencoded", "text/plain"}, {"bytes", "application/x-www-form-urlencoded", "application/octet-stream"},
		{"bytes", "application/x-own", "application/x-own"}, {"bytes", "", "application/octet-stream"}, {"bytes", "video/mp4", ""},
		{"jpeg", "image", ""}, {"jpeg", "image/", ""}, {"jpeg", "/jpeg", ""}, {"jpeg", "image/jpeg\r\nX: y", ""}, {"jpeg", ";", ""},
		{"jpeg", "image/jpeg; charset", ""}, {"nothing", "image/jpeg", ""}, {"nothing", "", ""},
	}
	for _, test := range tests {
		got, err := Sniff([]byte(samples[test.sample]), test.declared)
		var e *TypeError
		if test.want == "" && !errors.As(err, &e) {
			t.Errorf("%s declared %q: %q, %v; want a TypeError", test.sample, test.declared, got, err)
		}
		if test.want != "" && (err != nil || got != test.want) {
			t.Errorf("%s declared %q: %q, %v; want %q", test.sample, test.declared, got, err, test.want)
		}
	}
}

// The error says which of the two it is: a type that is none, or a file that is.
func TestTypeErrorTellsWhat(t *testing.T) {
	for want, in := range map[string][2]string{
		`"nonsense" is not a media type, such as image/jpeg`: {"jpeg", "nonsense"},
		"the file is empty": {"nothing", "image/jpeg"},
	} {
		if _, err := Sniff([]byte(samples[in[0]]), in[1]); err == nil || err.Error() != want {
			t.Errorf("%s declared %q: %v, want %s", in[0], in[1], err, want)
		}
	}
}

// What each kind of message takes, for a small file of each format declared as what it is.
func TestKindsTakeFormats(t *testing.T) {
	takes := map[string]string{
		"image":    "jpeg png",
		"audio":    "opus mp3 aac amr m4a",
		"video":    "mp4 3gp",
		"sticker":  "webp",
		"document": "jpeg png gif webp svg opus vorbis theora mp3 aac amr mp4 m4a 3gp mov wav pdf zip html text exe bytes",
	}
	for kind, list := range takes {
		for name, sample := range samples {
			mimeType, err := Sniff([]byte(sample), "")
			if err != nil {
				t.Fatal(err)
			}
			want := strings.Contains(" "+list+" ", " "+name+" ")
			if err := Check(kind, mimeType, 100); (err == nil) != want {
				t.Errorf("%s as %s: %v, want accepted: %v", name, kind, err, want)
			}
		}
	}
}

func TestCheck(t *testing.T) {
	const kb, mb = 1 << 10, 1 << 20
	tests := []struct {
		kind, mimeType string
		size           int64
		want           string // "", kind, type or size
	}{
		{"image", "image/jpeg", 5 * mb, ""}, {"image", "image/jpeg", 5*mb + 1, "size"}, {"image", "image/jpg", 1, ""},
		{"image", "image/webp", 1, "type"}, {"image", "image/svg+xml", 1, "type"},
		{"audio", "audio/mpeg", 16 * mb, ""}, {"audio", "audio/mpeg", 16*mb + 1, "size"}, {"audio", "audio/ogg", 1, "type"},
		{"audio", "audio/ogg; codecs=opus", 1, ""}, {"audio", `audio/OGG;codecs="opus"`, 1, ""}, {"audio", "audio/ogg; codecs=vorbis", 1, "type"},
		{"audio", "audio/wav", 1, "type"}, {"audio", "video/mp4", 1, "type"},
		{"video", "video/mp4", 16 * mb, ""}, {"video", "video/mp4", 16*mb + 1, "size"}, {"video", "video/quicktime", 1, "type"},
		{"sticker", "image/webp", 500 * kb, ""}, {"sticker", "image/webp", 500*kb + 1, "size"}, {"sticker", "image/png", 1, "type"},
		{"document", "application/pdf", 100 * mb, ""}, {"document", "application/pdf", 100*mb + 1, "size"}, {"document", "x/y", 0, ""},
		{"document", "pdf", 1, "type"}, {"document", "", 1, "type"}, {"document", "a/b\r\nc", 1, "type"},
		{"image", "image/webp", 50 * mb, "type"},
		{"voice", "audio/aac", 1, "kind"}, {"", "image/png", 1, "kind"}, {"Image", "image/png", 1, "kind"},
	}
	for _, test := range tests {
		err := Check(test.kind, test.mimeType, test.size)
		got := ""
		if e, ok := errors.AsType[*LimitError](err); ok {
			got = map[bool]string{e.UnknownKind: "kind", e.WrongType: "type", e.TooLarge: "size"}[true]
		}
		if got != test.want {
			t.Errorf("Check(%s, %s, %d) = %v, want %q", test.kind, test.mimeType, test.size, err, test.want)
		}
		if err != nil && len(err.Error()) < 20 {
			t.Errorf("the error says little: %v", err)
		}
	}
}

func FuzzSniff(f *testing.F) {
	for _, sample := range samples {
		f.Add([]byte(sample), "image/png")
	}
	f.Add([]byte("OggS"), "audio/ogg; codecs=opus")
	f.Add([]byte(""), ";;")
	f.Fuzz(func(t *testing.T, head []byte, declared string) {
		got, err := Sniff(head, declared)
		var e *TypeError
		if err != nil {
			if !errors.As(err, &e) || got != "" {
				t.Fatalf("%q, %v", got, err)
			}
			return
		}
		if _, _, err := mime.ParseMediaType(got); err != nil || strings.ContainsAny(got, "\r\n\x00") || !strings.Contains(got, "/") {
			t.Fatalf("%q is no media type: %v", got, err)
		}
		if again, err := Sniff(head, got); err != nil || again != got {
			t.Fatalf("%q declared as found is %q, %v", got, again, err)
		}
		if err := Check("document", got, 1); err != nil {
			t.Fatal(err)
		}
	})
}
