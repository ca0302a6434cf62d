package media

import (
	"bytes"
	"fmt"
	"mime"
	"slices"
	"strings"

	"github.com/gabriel-vasile/mimetype"
)

// The largest file that a business may upload, in bytes, whatever its kind: in the On-Premises API, and in the Cloud API.
const (
	UploadMax      = 64 << 20
	CloudUploadMax = 100 << 20
)

// SniffLen is how many bytes from the start of a file [Sniff] wants to see; it copes with fewer.
const SniffLen = 4096

const oggOpus = "audio/ogg; codecs=opus"

// limits per kind of message: On-Premises contract, section 1.6.
var limits = map[string]struct {
	size  int64
	types []string // none: any valid type
}{
	"image":    {5 << 20, []string{"image/jpeg", "image/png"}},
	"audio":    {16 << 20, []string{"audio/aac", "audio/mp4", "audio/amr", "audio/mpeg", oggOpus}},
	"video":    {16 << 20, []string{"video/mp4", "video/3gpp"}},
	"document": {100 << 20, nil},
	"sticker":  {500 << 10, []string{"image/webp"}}, // an animated one; CheckSticker knows the rest
}

// Limit returns how many bytes a file of a kind of message may have; 0 for an unknown kind.
func Limit(kind string) int64 { return limits[kind].size }

// LimitError says why a file does not fit a kind of message. Exactly one of the flags is set.
type LimitError struct {
	Kind, MIME  string
	Size, Max   int64 // bytes; Max is 0 for an unknown kind
	UnknownKind bool
	WrongType   bool
	TooLarge    bool
}

// Error says what is wrong and what would be right.
func (e *LimitError) Error() string {
	switch {
	case e.UnknownKind:
		return fmt.Sprintf("%q is not a kind of media", e.Kind)
	case e.TooLarge:
		return fmt.Sprintf("%s of %d bytes, at most %d are allowed", e.Kind, e.Size, e.Max)
	}
	if types := limits[e.Kind].types; types != nil {
		return fmt.Sprintf("%s of type %q, allowed are %s", e.Kind, e.MIME, strings.Join(types, ", "))
	}
	return fmt.Sprintf("%q is not a media type", e.MIME)
}

// Check tells whether a file of type mimeType (as [Sniff] gave it) and size bytes may be sent as kind: image, audio,
// video, document or sticker. The error is a [*LimitError]; a wrong type comes before a wrong size.
func Check(kind, mimeType string, size int64) error {
	limit, ok := limits[kind]
	e := &LimitError{Kind: kind, MIME: mimeType, Size: size, Max: limit.size}
	canonical, err := canonicalType(mimeType)
	switch {
	case !ok:
		e.UnknownKind = true
	case err != nil, limit.types != nil && !slices.Contains(limit.types, canonical):
		e.WrongType = true
	case size > limit.size:
		e.TooLarge = true
	default:
		return nil
	}
	return e
}

// TypeError says that a file is not what it was declared to be.
type TypeError struct {
	Declared string
	Found    string // empty: the declared type is no media type; with no Declared either, the file is empty
}

// Error says both types.
func (e *TypeError) Error() string {
	switch {
	case e.Found == "" && e.Declared == "":
		return "the file is empty"
	case e.Found == "":
		return fmt.Sprintf("%q is not a media type, such as image/jpeg", e.Declared)
	}
	return fmt.Sprintf("declared as %q, but the content is %q", e.Declared, e.Found)
}

// Sniff returns the media type of a file from its first bytes (head, best [SniffLen] of them). The content decides; the
// declared type (may be empty) only picks among types that the content cannot tell apart: sound or picture in an MP4
// container, formats made of plain text, ZIP or unknown bytes. The result has no parameters but `codecs=opus` for that
// format in Ogg. The error is a [*TypeError]: the file is empty, declared is no media type, or declared is image, audio
// or video and the content is something else.
func Sniff(head []byte, declared string) (mimeType string, err error) {
	want := ""
	if declared != "" {
		if want, err = canonicalType(declared); err != nil {
			return "", &TypeError{Declared: declared}
		}
	}
	if len(head) == 0 {
		return "", &TypeError{}
	}
	found := detect(head)
	switch {
	case want == "" || want == found || undeclared[want]:
		return found, nil
	case want == "audio/mp4" && found == "video/mp4":
		return want, nil // one container for both; only a look at its tracks could tell
	case isAV(want) && family(want) != family(found):
		return "", &TypeError{Declared: declared, Found: found}
	case generic[found] && !isAV(want):
		return want, nil
	}
	return found, nil
}

// undeclared are the types that say nothing; the second is what curl declares when it is told no other.
var undeclared = map[string]bool{"application/octet-stream": true, "application/x-www-form-urlencoded": true}

// generic are the types of content that may be a more special format.
var generic = map[string]bool{
	"application/octet-stream": true, "text/plain": true, "application/zip": true,
	"application/x-ole-storage": true, "text/xml": true, "application/json": true, "application/gzip": true,
}

// sameType maps types that name what WhatsApp knows under another name.
var sameType = map[string]string{
	"audio/x-m4a": "audio/mp4", "audio/m4a": "audio/mp4", "audio/x-mp4a": "audio/mp4", "video/x-m4v": "video/mp4",
	"audio/mp3": "audio/mpeg", "audio/x-mpeg": "audio/mpeg", "audio/x-aac": "audio/aac", "audio/amr-nb": "audio/amr",
	"image/jpg": "image/jpeg", "video/3gp": "video/3gpp", "application/ogg": "audio/ogg",
}

func detect(head []byte) string {
	if isOpus(head) {
		return oggOpus
	}
	found, _, _ := strings.Cut(mimetype.Detect(head).String(), ";")
	if same, ok := sameType[found]; ok {
		return same
	}
	return found
}

// opusChannels is where a file of Opus in Ogg says how many channels it has: behind the page's header, the name and the version.
const opusChannels = 37

// isOpus looks for the identification header in the first Ogg page: RFC 7845, section 5.1. That page holds nothing
// else, so its header has 27 bytes and one segment.
func isOpus(head []byte) bool {
	return bytes.HasPrefix(head, []byte("OggS\x00")) && len(head) > opusChannels-1 && head[26] == 1 && string(head[28:36]) == "OpusHead"
}

// canonicalType checks a media type and returns it in lower case, without parameters but codecs=opus.
func canonicalType(s string) (string, error) {
	base, params, err := mime.ParseMediaType(s)
	if err != nil {
		return "", err
	}
	if major, minor, _ := strings.Cut(base, "/"); major == "" || minor == "" {
		return "", fmt.Errorf("%q is not a media type", s)
	}
	if same, ok := sameType[base]; ok {
		base = same
	}
	if base == "audio/ogg" && strings.EqualFold(params["codecs"], "opus") {
		return oggOpus, nil
	}
	return base, nil
}

func family(mimeType string) string {
	major, _, _ := strings.Cut(mimeType, "/")
	return major
}

func isAV(mimeType string) bool {
	switch family(mimeType) {
	case "image", "audio", "video":
		return true
	}
	return false
}
