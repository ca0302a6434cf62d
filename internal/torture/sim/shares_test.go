package sim

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"
)

var (
	share = flag.Int("share", 0, "of a process that plays a share of the seeds: its first one")
	every = flag.Int("every", 1, "of such a process: how far its seeds are apart")
	tally = flag.String("tally", "", "of such a process: the file for what has happened in its seeds")
)

// shares plays seeds 1 to n in as many processes as there are processors, each on one: threads of one process would wait for
// each other at SQLite's allocator, and goroutines of a bubble gain nothing by a second processor.
func shares(t *testing.T, n int) stats {
	t.Helper()
	dir, all := t.TempDir(), stats{}
	t.Run("all", func(t *testing.T) {
		for i := range runtime.GOMAXPROCS(0) {
			t.Run(fmt.Sprint("share ", i+1), func(t *testing.T) {
				t.Parallel()
				part(t, n, i+1, runtime.GOMAXPROCS(0), filepath.Join(dir, strconv.Itoa(i+1)))
			})
		}
	})
	for i := range runtime.GOMAXPROCS(0) {
		raw, err := os.ReadFile(filepath.Join(dir, strconv.Itoa(i+1)))
		var s stats
		if err == nil {
			err = json.Unmarshal(raw, &s)
		}
		if err != nil {
			t.Error(err)
		}
		all.add(s)
	}
	return all
}

// part runs the process that plays one share.
func part(t *testing.T, n, i, of int, file string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestSeeds$", "-seeds", strconv.Itoa(n), "-share", strconv.Itoa(i), "-every", strconv.Itoa(of),
		"-tally", file, fmt.Sprintf("-test.short=%t", testing.Short()), fmt.Sprintf("-test.v=%t", testing.Verbose()))
	cmd.Env = append(os.Environ(), "GOMAXPROCS=1")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		t.Errorf("%v\n%s", err, out.Bytes())
	}
}

// playShare plays the seeds of this process's share one after another.
func playShare(t *testing.T, n int) {
	t.Helper()
	s, all := newStage(t), stats{}
	for i := *share; i <= n; i += *every {
		w := s.play(t, uint64(i), none)
		all.add(w.stats)
		if len(w.model.faults) > 0 {
			show(t, uint64(i), w)
		}
	}
	if *tally == "" { // somebody wants a profile of it
		t.Log(all)
		return
	}
	raw, err := json.Marshal(all)
	if err == nil {
		err = os.WriteFile(*tally, raw, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}
