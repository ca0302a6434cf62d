package main

import (
	"runtime"
	"testing"
)

func TestSpareProcessor(t *testing.T) {
	before := runtime.GOMAXPROCS(0)
	t.Cleanup(func() { runtime.GOMAXPROCS(before) })
	t.Setenv("GOMAXPROCS", "")
	runtime.SetDefaultGOMAXPROCS()
	usual := runtime.GOMAXPROCS(0)
	for range 2 {
		if spareProcessor(); runtime.GOMAXPROCS(0) != usual+1 {
			t.Errorf("%d, want %d", runtime.GOMAXPROCS(0), usual+1)
		}
	}
	t.Setenv("GOMAXPROCS", "1")
	runtime.GOMAXPROCS(1)
	if spareProcessor(); runtime.GOMAXPROCS(0) != 1 {
		t.Errorf("%d where the operator has decided, want 1", runtime.GOMAXPROCS(0))
	}
}
