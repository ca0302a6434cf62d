package bench

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Report is what a run has found.
type Report struct {
	Program  string // name and version
	Command  string // that repeats it
	At       time.Time
	Took     time.Duration
	Database string // "sqlite" or "postgres"
	Machine  Machine

	figures []figure
	tables  []table
	notes   []string
}

// figure is one number. The end of its key says what it is: per_s, ratio, _ms, _us, _mib, _s.
type figure struct {
	key   string
	value float64
}

// put keeps a figure; one that could not be had (NaN) is left out.
func (r *Report) put(key string, value float64) {
	if !math.IsNaN(value) && !math.IsInf(value, 0) {
		r.figures = append(r.figures, figure{key, value})
	}
}

// Figure returns a figure by its key.
func (r *Report) Figure(key string) (value float64, ok bool) {
	for _, f := range r.figures {
		if f.key == key {
			return f.value, true
		}
	}
	return 0, false
}

// mediaMemory is how many MiB the server may have while media go up and down, however many do at a time.
const mediaMemory = 200

// Judge returns an error when a figure is one that the product must not have.
func (r *Report) Judge() error {
	if v, ok := r.Figure("media.rss_mib"); ok && v > mediaMemory {
		return fmt.Errorf("media: the server had %.1f MiB of memory at its peak, and may have %d", v, mediaMemory)
	}
	return nil
}

// note keeps a sentence that belongs to the figures.
func (r *Report) note(format string, args ...any) {
	r.notes = append(r.notes, fmt.Sprintf(format, args...))
}

// digits is how many digits behind the point a figure is worth.
func digits(key string) int {
	switch {
	case strings.HasSuffix(key, "ratio"):
		return 3
	case strings.HasSuffix(key, "_ms"), strings.HasSuffix(key, "commits"):
		return 2
	case strings.HasSuffix(key, "mb_per_s"), strings.HasSuffix(key, "_us"), strings.HasSuffix(key, "_s") && !strings.HasSuffix(key, "per_s"),
		strings.HasSuffix(key, "_mib"):
		return 1
	}
	return 0
}

// JSON returns the report as one flat object, in the order in which it was measured.
func (r *Report) JSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteString("{")
	member := func(key string, value any) error {
		text, err := json.Marshal(value)
		if err != nil {
			return fmt.Errorf("encode %s: %w", key, err)
		}
		if b.Len() > 1 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "\n  %q: %s", key, text)
		return nil
	}
	for _, m := range r.head() {
		if err := member(m.key, m.value); err != nil {
			return nil, err
		}
	}
	for _, f := range r.figures {
		if err := member(f.key, json.Number(strconv.FormatFloat(f.value, 'f', digits(f.key), 64))); err != nil {
			return nil, err
		}
	}
	if err := member("notes", append([]string{}, r.notes...)); err != nil {
		return nil, err
	}
	b.WriteString("\n}\n")
	return b.Bytes(), nil
}

type headMember struct {
	key   string
	value any
}

// head is what there is to say beside the figures.
func (r *Report) head() []headMember {
	m := &r.Machine
	return []headMember{
		{"program", r.Program}, {"command", r.Command}, {"at", r.At.UTC().Format(time.RFC3339)}, {"took_s", int(r.Took.Seconds())},
		{"database", r.Database}, {"machine.cpu", m.CPU}, {"machine.cores", m.Cores}, {"machine.memory_mib", m.Memory >> 20},
		{"machine.os", m.OS}, {"machine.go", m.Go}, {"machine.filesystem", m.Filesystem}, {"machine.fsync_per_s", int(m.Fsync)},
	}
}
