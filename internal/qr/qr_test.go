package qr

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"image/png"
	"regexp"
	"strings"
	"testing"
)

const link = "https://wa.me/message/ABCDEFGH234567"

// TestBothDrawingsShowTheSameModules reads every module of the PNG, and the runs of the SVG.
func TestBothDrawingsShowTheSameModules(t *testing.T) {
	picture, err := PNG(link)
	if err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(bytes.NewReader(picture))
	if err != nil {
		t.Fatal(err)
	}
	side := img.Bounds().Dx() / module
	drawing, err := SVG(link)
	if err != nil {
		t.Fatal(err)
	}
	if err := xml.Unmarshal(drawing, new(struct{})); err != nil || !strings.Contains(string(drawing), fmt.Sprintf(`viewBox="0 0 %d %d"`, side, side)) {
		t.Errorf("the drawing is %.120s, %v", drawing, err)
	}
	drawn := map[[2]int]bool{}
	for _, m := range regexp.MustCompile(`M(\d+) (\d+)h(\d+)v1`).FindAllStringSubmatch(string(drawing), -1) {
		var x, y, run int
		if _, err := fmt.Sscan(strings.Join(m[1:], " "), &x, &y, &run); err != nil {
			t.Fatal(err)
		}
		for i := range run {
			drawn[[2]int{x + i, y}] = true
		}
	}
	var black int
	for y := range side {
		for x := range side {
			r, _, _, _ := img.At(x*module+module/2, y*module+module/2).RGBA()
			if (r == 0) != drawn[[2]int{x, y}] {
				t.Fatalf("module %d, %d differs", x, y)
			}
			if inner := x >= margin && y >= margin && x < side-margin && y < side-margin; r == 0 && !inner {
				t.Fatalf("module %d, %d of the margin is black", x, y)
			}
			if r == 0 {
				black++
			}
		}
	}
	if black < side*side/5 {
		t.Errorf("%d of %d modules are black", black, side*side)
	}
	// The upper left corner is a finder: seven black modules, and a white ring within.
	for i := range 7 {
		if !drawn[[2]int{margin + i, margin}] || !drawn[[2]int{margin, margin + i}] {
			t.Errorf("the finder has a hole at %d", i)
		}
	}
	if drawn[[2]int{margin + 1, margin + 1}] {
		t.Error("the finder has no ring")
	}
}

func TestATextThatIsTooLongIsRefused(t *testing.T) {
	for name, draw := range map[string]func(string) ([]byte, error){"PNG": PNG, "SVG": SVG} {
		if _, err := draw(strings.Repeat("x", 5000)); err == nil {
			t.Errorf("%s draws it", name)
		}
	}
}
