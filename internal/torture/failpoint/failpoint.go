//go:build unix

// Package failpoint is what the harness's build of Kabar has and the product has not: moments at which a process can be
// killed, and seeded faults that can be switched on.
//
// The product's source names a moment by a comment, //failpoint:commit, and the harness's build (package instrument) turns
// it into Hit("commit"). A seeded fault is an edit of the source that asks Mutant. Nothing of the product imports this
// package, and a build without the harness has no trace of it.
//
// The harness talks to the process over its standard input, a command a line:
//
//	arm POINT NTH MICROSECONDS   kill this process so long after it has come to the point for the n-th time from now
//	disk N KIND TIMES            have disk calls fail from the n-th on, so many in all; 0: until heal (package disk)
//	heal                         disk calls succeed again
//
// The end of the input ends the process: none outlives the harness.
package failpoint

import (
	"bufio"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"kabar/internal/torture/disk"
)

// The environment of an instrumented process. The product refuses variables that begin with KABAR_ and that it does not know.
const (
	// EnvHits is the file that a line "POINT" is appended to when a process is killed at a point, and "healed N" when disk
	// calls succeed again, of which N have failed.
	EnvHits = "TORTURE_HITS"
	// EnvMutants lists the seeded faults that are on, separated by commas.
	EnvMutants = "TORTURE_MUTANTS"
	// EnvArm is a first command, for points that come before the process listens.
	EnvArm = "TORTURE_ARM"
	// EnvDisk is the folder whose disk calls can be made to fail.
	EnvDisk = "TORTURE_DISK"
)

// armed is the point that kills.
type armed struct {
	point string
	left  atomic.Int64 // passes until it does
	delay time.Duration
}

// state is that of the process: a failpoint is reached from everywhere, and nothing could carry it there.
var state struct {
	armed   atomic.Pointer[armed]
	mutants map[string]bool
	disk    *disk.Disk // nil: no disk calls can be made to fail
}

// Start reads the environment and listens to the harness. It is called once, before anything else of the program runs.
func Start() {
	state.mutants = map[string]bool{}
	for name := range strings.SplitSeq(os.Getenv(EnvMutants), ",") {
		state.mutants[name] = true
	}
	if command := os.Getenv(EnvArm); command != "" {
		obey(command)
	}
	if os.Getenv(EnvHits) == "" {
		return // a command of an operator, say
	}
	if dir := os.Getenv(EnvDisk); dir != "" {
		var err error
		if state.disk, err = claim(dir); err != nil {
			fmt.Fprintln(os.Stderr, "failpoint:", err)
			os.Exit(3)
		}
	}
	go listen()
}

func claim(dir string) (*disk.Disk, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	return disk.Claim(dir)
}

func listen() {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		obey(lines.Text())
	}
	os.Exit(3) // the harness has gone
}

func obey(command string) {
	var point, kind string
	var nth, micros, times int64
	if command == "heal" && state.disk != nil {
		note(fmt.Sprintf("healed %d", state.disk.Heal()))
		return
	}
	if _, err := fmt.Sscanf(command, "disk %d %s %d", &nth, &kind, &times); err == nil && state.disk != nil {
		if err := state.disk.Fail(nth, disk.Kind(kind), times); err == nil {
			return
		}
	}
	if _, err := fmt.Sscanf(command, "arm %s %d %d", &point, &nth, &micros); err == nil {
		a := &armed{point: point, delay: time.Duration(micros) * time.Microsecond}
		a.left.Store(nth)
		state.armed.Store(a)
		return
	}
	fmt.Fprintf(os.Stderr, "failpoint: cannot obey %q\n", command)
}

// Hit is a moment at which the process may be killed: at once, or a little later, while the others go on.
func Hit(point string) {
	a := state.armed.Load()
	if a == nil || a.point != point || a.left.Add(-1) != 0 {
		return
	}
	note(point)
	if a.delay == 0 {
		kill()
	}
	time.AfterFunc(a.delay, kill)
}

// Mutant reports whether a seeded fault is on.
func Mutant(name string) bool { return state.mutants[name] }

func note(point string) {
	f, err := os.OpenFile(os.Getenv(EnvHits), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err == nil {
		_, err = fmt.Fprintln(f, point)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "failpoint:", err)
	}
}

// kill ends the process as kill -9 does: nothing is flushed, nothing deferred.
func kill() {
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL) // oneself
	select {}
}
