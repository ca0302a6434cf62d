package doctor

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// How many files and connections a server should be able to have open.
const (
	filesFail = 256
	filesWarn = 4096
)

// Files looks at the limit of open files. limit is FileLimit of the process that serves.
func Files(limit func() (now, most uint64, err error)) Check {
	return Check{"open files", func(context.Context) Result {
		now, most, err := limit()
		switch {
		case err != nil:
			return Skipped("this system sets no limit that can be read")
		case now < filesFail:
			return Result{Fail, fmt.Sprintf("at most %d files and connections", now), filesFix(most)}
		case now < filesWarn:
			return Result{Warn, fmt.Sprintf("at most %d files and connections: enough for a few hundred clients", now), filesFix(most)}
		}
		return Fine("up to %d", now)
	}}
}

func filesFix(most uint64) string {
	if most >= 65536 {
		return "ulimit -n 65536 before the start, or LimitNOFILE=65536 in the unit"
	}
	return "LimitNOFILE=65536 in the unit, or raise the hard limit of the user"
}

// Memory a server needs at least, and what of a limit Go should be told to keep to.
const (
	memoryWarn = 256 * mib
	goShare    = "90%"
)

// MemoryLimit returns the limit that the control group of this process sets, in bytes; 0 means none. read is os.ReadFile.
func MemoryLimit(read func(name string) ([]byte, error)) uint64 {
	for _, name := range []string{"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"} {
		text, err := read(name)
		if err != nil {
			continue
		}
		if n, err := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 64); err == nil && n < 1<<60 {
			return n
		}
		return 0
	}
	return 0
}

// Memory looks at a limit of memory, and whether Go knows of it: it collects garbage sooner then, instead of being killed.
func Memory(limit uint64) Check {
	return Check{"memory limit", func(context.Context) Result {
		switch {
		case limit == 0:
			return Fine("none")
		case limit < memoryWarn:
			return Result{Warn, bytes(limit) + " is little: a group of uploads may reach it", "allow 256 MiB or more: MemoryMax= in the unit, mem_limit in compose"}
		case os.Getenv("GOMEMLIMIT") == "":
			return Result{Warn, bytes(limit) + ", and the program does not know of it",
				fmt.Sprintf("Environment=GOMEMLIMIT=%dMiB in the unit (%s of the limit)", limit/mib*9/10, goShare)}
		}
		return Fine("%s, GOMEMLIMIT %s", bytes(limit), os.Getenv("GOMEMLIMIT"))
	}}
}
