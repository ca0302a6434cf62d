package main

import (
	"runtime"
	"testing"
)

func TestSpareProcessor(t *testing.T) {
	before := runtime.GOMAXPROCS(0)
	t.Cleanup(func() { runtime.GOMAXPROCS(before) })
	t.Setenv("GOMAXPROCS", "4")
	if spareProcessor(); runtime.GOMAXPROCS(0) != before {
		t.Errorf("%d where the operator has decided, want %d", runtime.GOMAXPROCS(0), before)
	}
	t.Setenv("GOMAXPROCS", "")
	if spareProcessor(); runtime.GOMAXPROCS(0) != before+1 {
		t.Errorf("%d, want %d", runtime.GOMAXPROCS(0), before+1)
	}
}
