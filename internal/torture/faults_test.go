//go:build unix

package main

import (
	"slices"
	"testing"

	"kabar/internal/torture/instrument"
)

// Every seeded fault still has its place in the source, and every moment that the source names is one that rounds kill at.
func TestTheSourceIsAsTheHarnessExpects(t *testing.T) {
	root, err := instrument.Root()
	if err != nil {
		t.Fatal(err)
	}
	src := product(root)
	for _, m := range mutants() {
		src.Edits = append(src.Edits, m.edits...)
	}
	if _, err := src.Overlay(t.TempDir()); err != nil {
		t.Error(err)
	}
	inSource, err := src.Points()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range points() {
		if inSource[p.name] == "" {
			t.Errorf("no comment in the source names the failpoint %s", p.name)
		}
	}
	for name, file := range inSource {
		if !slices.ContainsFunc(points(), func(p point) bool { return p.name == name }) {
			t.Errorf("%s names the failpoint %s, at which no round kills", file, name)
		}
	}
	for _, m := range mutants() {
		if m.at != "" && inSource[m.at] == "" {
			t.Errorf("the rounds of %s kill at %s, which is no failpoint", m.name, m.at)
		}
	}
	if n := len(mutants()); n < 12 {
		t.Errorf("there are only %d seeded faults", n)
	}
}
