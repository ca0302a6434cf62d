package media

import (
	"bytes"
	"errors"
	"testing"
	"testing/iotest"

	"kabar/internal/golden"
)

func TestCheckVoice(t *testing.T) {
	for name, c := range map[string]struct {
		file []byte
		mime string
		want string // what is wrong
	}{
		"mono":       {golden.Sample("opus"), oggOpus, ""},
		"stereo":     {golden.Sample("stereo"), oggOpus, "the voice message has 2 channels, allowed is one"},
		"AAC":        {golden.Sample("m4a"), "audio/mp4", `the voice message has the type "audio/mp4", allowed is audio/ogg; codecs=opus`},
		"cut off":    {golden.Sample("opus")[:37], oggOpus, "the file is not complete"},
		"other page": {golden.Sample("vorbis"), oggOpus, "the file is not complete"},
	} {
		err := CheckVoice(bytes.NewReader(c.file), c.mime)
		if fault, ok := errors.AsType[*FormatError](err); err != nil && !ok || ok && fault.Error() != c.want || err == nil && c.want != "" {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	if err := CheckVoice(brokenDisk{}, oggOpus); !errors.Is(err, iotest.ErrTimeout) {
		t.Errorf("%v, want the reader's own error", err)
	}
}
