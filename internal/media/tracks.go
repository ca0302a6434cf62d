package media

import (
	"cmp"
	"fmt"
	"io"
	"slices"
)

// The codecs that films and sound in an MP4 or 3GPP file may have: On-Premises contract, section 1.6.
const (
	codecH264 = "H.264"
	codecAAC  = "AAC"
)

// Tracks are the codecs of a film's pictures and sounds, one for each track; tracks of anything else are left out.
type Tracks struct {
	Pictures, Sounds []string // "H.264", "AAC", or how the file calls another one
}

// HasTracks tells whether [CheckTracks] has something to look at in a file of this type.
func HasTracks(kind, mimeType string) bool {
	return (kind == "video" || kind == "audio") && slices.Contains([]string{"video/mp4", "video/3gpp", "audio/mp4"}, mimeType)
}

// CheckTracks tells whether a file of size bytes, for which [HasTracks] is true, may be sent as kind, video or audio: pictures
// must be H.264, sound AAC, and a film has no more than one track of sound. The error is a [*FormatError], or that of r.
func CheckTracks(kind string, r io.ReadSeeker, size int64) error {
	tracks, err := InspectTracks(r, size)
	if err != nil {
		return err
	}
	wrong := func(what, codec, allowed string) error {
		return unfit(kind, "has %s in %q, allowed is %s", what, codec, allowed)
	}
	if kind == "video" {
		switch {
		case len(tracks.Pictures) == 0:
			return unfit(kind, "has no pictures")
		case len(tracks.Sounds) > 1:
			return unfit(kind, "has %d tracks of sound, allowed is one", len(tracks.Sounds))
		}
		for _, codec := range tracks.Pictures {
			if codec != codecH264 {
				return wrong("pictures", codec, codecH264)
			}
		}
	} else if len(tracks.Sounds) == 0 {
		return unfit(kind, "has no sound")
	}
	for _, codec := range tracks.Sounds {
		if codec != codecAAC {
			return wrong("sound", codec, codecAAC)
		}
	}
	return nil
}

// InspectTracks reads which tracks a file of the ISO base media format (ISO/IEC 14496-12) of size bytes has. It looks at the
// boxes on the way there and at no others, so it reads a few kilobytes whatever the file has. A file that is cut off, or whose
// boxes do not lie within each other, is refused. The error is a [*FormatError], or that of r.
func InspectTracks(r io.ReadSeeker, size int64) (Tracks, error) {
	b := &boxes{r: r}
	var found Tracks
	movies := 0
	err := b.walk(span{0, size}, func(name string, in span) error {
		if name != "moov" {
			return nil
		}
		movies++
		return b.walk(in, func(name string, in span) error {
			if name != "trak" {
				return nil
			}
			return b.track(in, &found)
		})
	})
	if err == nil && movies == 0 {
		err = unfit("file", "has no list of its tracks")
	}
	return found, err
}

// track adds what a track holds.
func (b *boxes) track(in span, found *Tracks) error {
	var handler, codec string
	err := b.descend(in, []string{"mdia", "hdlr"}, func(in span) (err error) {
		handler, err = b.text(in.from+8, 4, in) // behind version, flags and a field that is always 0
		return err
	})
	if err == nil && (handler == "vide" || handler == "soun") {
		err = b.descend(in, []string{"mdia", "minf", "stbl", "stsd"}, func(in span) error {
			return b.walk(span{in.from + 8, in.to}, func(name string, entry span) error { // behind version, flags and a count
				// All entries of a track describe the same kind of samples; a player needs every codec that is there.
				name, err := b.codec(name, handler, entry)
				if codec == "" || name != codecH264 && name != codecAAC {
					codec = name
				}
				return err
			})
		})
	}
	codec = cmp.Or(codec, "nothing")
	switch {
	case err != nil:
		return err
	case handler == "vide":
		found.Pictures = append(found.Pictures, codec)
	case handler == "soun":
		found.Sounds = append(found.Sounds, codec)
	}
	return nil
}

// codec names the codec of a sample entry: ISO/IEC 14496-15 for H.264, 14496-14 for sound.
func (b *boxes) codec(name, handler string, entry span) (string, error) {
	switch {
	case handler == "vide" && slices.Contains([]string{"avc1", "avc2", "avc3", "avc4"}, name):
		return codecH264, nil
	case handler != "soun" || name != "mp4a":
		return name, nil
	}
	version, err := b.number(entry.from+8, entry)
	if err != nil {
		return "", err
	}
	inner := span{entry.from + 28 + map[int64]int64{1: 16, 2: 36}[version], entry.to} // more fields: QuickTime's
	codec := name
	note := func(in span) error {
		object, err := b.object(in)
		if object == 0x40 || object >= 0x66 && object <= 0x68 { // AAC of MPEG-4, and of MPEG-2 in its three profiles
			codec = codecAAC
		} else if err == nil {
			codec = fmt.Sprintf("%s, object type %#x", name, object)
		}
		return err
	}
	if err := b.descend(inner, []string{"esds"}, note); err != nil {
		return "", err
	}
	return codec, b.descend(inner, []string{"wave", "esds"}, note)
}

// object returns the object type of an esds box: ISO/IEC 14496-1, 7.2.6.
func (b *boxes) object(in span) (byte, error) {
	const descriptorES, descriptorConfig = 3, 4
	d, err := b.bytes(in.from+4, min(in.to-in.from-4, 64), in)
	if err != nil {
		return 0, err
	}
	next := func(tag byte) bool { // passes over a tag and the length behind it, of up to four bytes
		if len(d) == 0 || d[0] != tag {
			return false
		}
		n := 1
		for n < min(len(d), 4) && d[n]&0x80 != 0 {
			n++
		}
		d = d[min(n+1, len(d)):]
		return true
	}
	if !next(descriptorES) || len(d) < 3 {
		return 0, errDamaged
	}
	skip, flags := 3, d[2]
	if flags&0x80 != 0 { // depends on another stream
		skip += 2
	}
	if flags&0x40 != 0 && skip < len(d) { // has a URL
		skip += 1 + int(d[skip])
	}
	if flags&0x20 != 0 { // names its clock
		skip += 2
	}
	if d = d[min(skip, len(d)):]; !next(descriptorConfig) || len(d) == 0 {
		return 0, errDamaged
	}
	return d[0], nil
}
