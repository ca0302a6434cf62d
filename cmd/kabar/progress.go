package main

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"

	"kabar/internal/control"
)

// progress shows how far a long command is: on a terminal in one line that is drawn anew, elsewhere in a line every few
// seconds. Its report is a control.Report. A change of what is done begins a new line. It is for one goroutine.
type progress struct {
	w        io.Writer
	terminal bool
	now      func() time.Time

	what   string
	last   control.Progress
	began  time.Time // of this what
	drawn  time.Time // zero: nothing of this what has been drawn
	length int       // of the line on the terminal that may have to be covered
}

// How often progress is shown.
const (
	drawEvery  = 100 * time.Millisecond
	printEvery = 5 * time.Second
)

// newProgress shows progress on w.
func newProgress(w io.Writer) *progress {
	p := &progress{w: w, now: time.Now}
	if f, ok := w.(*os.File); ok {
		info, err := f.Stat()
		p.terminal = err == nil && info.Mode()&fs.ModeCharDevice != 0
	}
	return p
}

// report takes note of progress and shows it, if it is time.
func (p *progress) report(r control.Progress) {
	now := p.now()
	if r.What != p.what {
		p.end()
		p.what, p.began, p.drawn = r.What, now, time.Time{}
	}
	p.last = r
	every := printEvery
	if p.terminal {
		every = drawEvery
	}
	since := p.drawn
	if since.IsZero() && !p.terminal {
		since = p.began // what is done before the first line is due needs none
	}
	if now.Sub(since) >= every {
		p.draw(now)
	}
}

// end shows the last of what was being done and leaves its line.
func (p *progress) end() {
	if p.what == "" {
		return
	}
	if p.terminal || !p.drawn.IsZero() {
		p.draw(p.now())
	}
	if p.terminal {
		_, _ = io.WriteString(p.w, "\n") // whoever watches has gone
	}
	p.what, p.length = "", 0
}

func (p *progress) draw(now time.Time) {
	p.drawn = now
	line := p.last.What + " " + p.line(now.Sub(p.began))
	if !p.terminal {
		_, _ = io.WriteString(p.w, line+"\n") // whoever watches has gone
		return
	}
	cover := strings.Repeat(" ", max(0, p.length-len(line)))
	p.length = len(line)
	_, _ = io.WriteString(p.w, "\r"+line+cover) // whoever watches has gone
}

const barWidth = 12 // the whole line must fit into 80 columns, or a terminal could not draw it anew

// line is what there is to say after a time: bar, percent, amount, rate, and the time that remains.
func (p *progress) line(took time.Duration) string {
	r := p.last
	rate := 0.0
	if took >= time.Second/10 {
		rate = float64(r.Done) / took.Seconds()
	}
	speed := ""
	if rate > 0 {
		speed = ", " + amount(int64(rate), r.Unit) + "/s"
	}
	if r.Total <= 0 {
		return amount(r.Done, r.Unit) + speed
	}
	part := min(float64(r.Done)/float64(r.Total), 1)
	full := int(part * barWidth)
	text := fmt.Sprintf("[%s%s] %3.0f%% %s of %s%s", strings.Repeat("#", full), strings.Repeat(".", barWidth-full), 100*part,
		amount(r.Done, r.Unit), amount(r.Total, r.Unit), speed)
	if left := r.Total - r.Done; left > 0 && rate > 0 {
		text += ", " + (time.Duration(float64(left) / rate * float64(time.Second))).Round(time.Second).String() + " left"
	}
	return text
}

// amount writes a number of things, or of bytes.
func amount(n int64, unit string) string {
	if unit != "B" {
		return fmt.Sprint(n)
	}
	return bytesText(n)
}
