package golden

import (
	"bytes"
	"encoding/binary"
	"slices"
)

// Box returns a box of the ISO base media format, of which MP4 and 3GPP files consist.
func Box(name string, content ...[]byte) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(8+len(bytes.Join(content, nil))))
	return append(append(b, name...), bytes.Join(content, nil)...)
}

// Track is a track of a film: what it is of ("vide" or "soun"), and the entry that names its codec.
type Track struct {
	Handler string
	Entry   []byte
}

// Pictures returns a track of pictures by the name of their codec: avc1 is H.264.
func Pictures(codec string) Track { return Track{"vide", Box(codec, make([]byte, 78))} }

// Sound returns a track of sound by the object type of its codec: 0x40 is AAC.
func Sound(object byte) Track {
	return Track{"soun", Box("mp4a", make([]byte, 28), Box("esds", []byte{0, 0, 0, 0, 3, 22, 0, 1, 0, 4, 17, object}, make([]byte, 13)))}
}

// Film returns a file of a brand with some tracks, and nothing to play in them.
func Film(brand string, tracks ...Track) []byte {
	var all [][]byte
	for _, t := range tracks {
		all = append(all, Box("trak", Box("tkhd", make([]byte, 84)), Box("mdia", Box("mdhd", make([]byte, 24)),
			Box("hdlr", make([]byte, 8), []byte(t.Handler), make([]byte, 13)),
			Box("minf", Box("stbl", Box("stsd", []byte{0, 0, 0, 0, 0, 0, 0, 1}, t.Entry), Box("stts", make([]byte, 8)))))))
	}
	return slices.Concat(Box("ftyp", []byte(brand+"\x00\x00\x00\x00"+brand+"isom")), Box("mdat", make([]byte, 8)),
		Box("moov", append([][]byte{Box("mvhd", make([]byte, 100))}, all...)...))
}
