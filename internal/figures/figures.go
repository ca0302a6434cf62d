// Package figures holds named figures with labels and shows them as JSON and as Prometheus text: for interfaces whose names and
// form are fixed by a contract, and for one number's share of what a program counts.
//
// A Set counts and is safe for concurrent use. The names and labels are the caller's, so is that there are few of them. It
// knows no figure itself; what the programs count for their operator is internal/metrics.
package figures

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
)

// Kind is the type of a figure: a counter only grows.
type Kind string

// The kinds.
const (
	Counter Kind = "counter"
	Gauge   Kind = "gauge"
)

// Family describes figures of one name.
type Family struct {
	Name   string
	Kind   Kind
	Help   string
	Labels []string
}

// Describe returns a family.
func Describe(name string, kind Kind, help string, labels ...string) Family {
	return Family{name, kind, help, labels}
}

// Sample is one figure of a family, with a value for each label.
type Sample struct {
	Labels []string
	Value  float64
}

// Series is a family with its samples. Those without any are shown all the same.
type Series struct {
	Family
	Samples []Sample
}

// Set counts by owner: the key of a number, or 0 for the program as a whole.
type Set struct {
	mu     sync.Mutex
	counts map[place]*Figure
}

// Figure is one figure of a Set, for who counts it too often to look for it each time.
type Figure struct{ bits atomic.Uint64 }

// Add adds to the figure.
func (f *Figure) Add(by float64) {
	for {
		old := f.bits.Load()
		if f.bits.CompareAndSwap(old, math.Float64bits(math.Float64frombits(old)+by)) {
			return
		}
	}
}

func (f *Figure) value() float64 { return math.Float64frombits(f.bits.Load()) }

// place is where a figure is counted. Four labels are enough.
type place struct {
	owner  int64
	name   string
	labels [4]string
}

// NewSet returns a set in which everything is zero.
func NewSet() *Set { return &Set{counts: map[place]*Figure{}} }

// Add adds to a figure.
func (s *Set) Add(owner int64, name string, by float64, labels ...string) {
	s.At(owner, name, labels...).Add(by)
}

// At returns a figure, which begins at zero. From then on it is shown.
func (s *Set) At(owner int64, name string, labels ...string) *Figure {
	p := place{owner: owner, name: name}
	copy(p.labels[:], labels)
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.counts[p]
	if f == nil {
		f = new(Figure)
		s.counts[p] = f
	}
	return f
}

// Samples returns the figures of a family that belong to an owner, in the order of their labels. A family without labels has
// one from the beginning.
func (s *Set) Samples(f Family, owner int64) []Sample {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []Sample
	for p, one := range s.counts {
		if p.owner == owner && p.name == f.Name {
			all = append(all, Sample{slices.Clone(p.labels[:len(f.Labels)]), one.value()})
		}
	}
	if len(all) == 0 && len(f.Labels) == 0 {
		return []Sample{{}}
	}
	slices.SortFunc(all, func(a, b Sample) int { return slices.Compare(a.Labels, b.Labels) })
	return all
}

// JSON returns the series as an object by name, for an encoder.
func JSON(all []Series) map[string]any {
	type sample struct {
		Labels map[string]string `json:"labels"`
		Value  float64           `json:"value"`
	}
	type family struct {
		Type Kind     `json:"type"`
		Help string   `json:"help"`
		Data []sample `json:"data"`
	}
	out := map[string]any{}
	for _, s := range all {
		f := family{s.Kind, s.Help, []sample{}}
		for _, one := range s.Samples {
			labels := map[string]string{}
			for i, v := range one.Labels {
				labels[s.Labels[i]] = v
			}
			f.Data = append(f.Data, sample{labels, one.Value})
		}
		out[s.Name] = f
	}
	return out
}

// TextType is the media type of Text.
const TextType = "text/plain; version=0.0.4; charset=utf-8"

// Text returns the series in the text format of Prometheus, sorted by name.
func Text(all []Series) []byte {
	var b strings.Builder
	for _, s := range slices.SortedFunc(slices.Values(all), func(a, b Series) int { return cmp.Compare(a.Name, b.Name) }) {
		fmt.Fprintf(&b, "# HELP %s %s\n# TYPE %s %s\n", s.Name, strings.NewReplacer(`\`, `\\`, "\n", `\n`).Replace(s.Help), s.Name, s.Kind)
		for _, one := range s.Samples {
			b.WriteString(s.Name)
			for i, v := range one.Labels {
				b.WriteString(map[bool]string{true: "{", false: ","}[i == 0])
				b.WriteString(s.Labels[i] + `="` + strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`).Replace(v) + `"`)
			}
			if len(one.Labels) > 0 {
				b.WriteByte('}')
			}
			b.WriteString(" " + strconv.FormatFloat(one.Value, 'g', -1, 64) + "\n")
		}
	}
	return []byte(b.String())
}

// Label puts one more label on every sample, the same for all.
func Label(all []Series, name, value string) []Series {
	out := slices.Clone(all)
	for i := range out {
		s := &out[i]
		s.Labels = append(slices.Clone(s.Labels), name)
		s.Samples = slices.Clone(s.Samples)
		for j := range s.Samples {
			s.Samples[j].Labels = append(slices.Clone(s.Samples[j].Labels), value)
		}
	}
	return out
}
