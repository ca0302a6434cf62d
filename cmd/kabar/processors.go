package main

import (
	"os"
	"runtime"
)

// spareProcessor lets one more goroutine run at a time than there are processors. One that is in a call to the disk keeps its place until Go's
// watcher notices, up to ten milliseconds later, and the store's writer is in such calls much of the time: its processor would have nothing to
// do meanwhile (docs/decisions/0014). Who has set GOMAXPROCS has decided otherwise. A second server of the same process, as tests have them,
// adds nothing.
func spareProcessor() {
	if os.Getenv("GOMAXPROCS") != "" {
		return
	}
	runtime.SetDefaultGOMAXPROCS()
	runtime.GOMAXPROCS(runtime.GOMAXPROCS(0) + 1)
}
