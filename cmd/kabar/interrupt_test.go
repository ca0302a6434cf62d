//go:build unix

package main

import (
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// A command that waits for what never comes ends when Ctrl-C is pressed again.
func TestASecondInterruptEnds(t *testing.T) {
	v := &terminated{t: t, dir: t.TempDir()}
	pipe := filepath.Join(v.dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := v.command("catalog", "import", pipe, "--data", v.dir)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait() // ended by a signal
		close(ended)
	}()
	patience := time.After(time.Minute)
	for pressed := time.NewTicker(100 * time.Millisecond); ; {
		select {
		case <-ended:
			return
		case <-patience:
			_ = cmd.Process.Kill() // it is the failure
			t.Fatal("the command goes on after a minute of interrupts")
		case <-pressed.C:
			_ = cmd.Process.Signal(syscall.SIGINT) // it may have just ended
		}
	}
}
