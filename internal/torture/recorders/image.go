//go:build unix

package recorders

import (
	"bytes"
	"hash/fnv"
	"image"
	"image/png"
	"math/rand/v2"
)

// Image returns a small picture that is the same for one token and differs from that of any other.
func Image(token string) []byte {
	h := fnv.New64a()
	_, _ = h.Write([]byte(token)) // never fails
	chance := rand.New(rand.NewPCG(h.Sum64(), 0))
	img := image.NewNRGBA(image.Rect(0, 0, 16+chance.IntN(48), 32))
	for i := range img.Pix {
		img.Pix[i] = byte(chance.Uint32())
	}
	var b bytes.Buffer
	_ = png.Encode(&b, img) // into memory
	return b.Bytes()
}
