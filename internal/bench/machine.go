package bench

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// Machine is what was measured on. What the system does not tell is empty.
type Machine struct {
	CPU        string
	Cores      int    // that Go uses
	Memory     uint64 // bytes
	OS         string // with its version
	Go         string
	Filesystem string  // of the folder of the stores
	Fsync      float64 // 4 KiB writes a second, each on disk before the next, behind each other in a file
}

const unknown = "unknown"

// describe looks at the machine and measures the disk of dir.
func describe(dir string) (Machine, error) {
	m := Machine{CPU: unknown, Cores: runtime.GOMAXPROCS(0), OS: runtime.GOOS + "/" + runtime.GOARCH, Go: runtime.Version(), Filesystem: filesystem(dir)}
	if model := field("/proc/cpuinfo", "model name"); model != "" {
		m.CPU = model
	}
	if total := field("/proc/meminfo", "MemTotal"); total != "" {
		var kib uint64
		if _, err := fmt.Sscanf(total, "%d kB", &kib); err == nil {
			m.Memory = kib << 10
		}
	}
	if release, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		m.OS = "Linux " + strings.TrimSpace(string(release)) + " " + runtime.GOARCH
	}
	var err error
	m.Fsync, err = fsyncs(dir)
	return m, err
}

// field returns the first value of a name in a file of lines "name : value"; "" when there is none.
func field(file, name string) string {
	text, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	for s := bufio.NewScanner(bytes.NewReader(text)); s.Scan(); {
		if key, value, ok := strings.Cut(s.Text(), ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// fsyncTime is how long the disk is measured.
const fsyncTime = 500 * time.Millisecond

// fsyncs returns how many blocks of 4 KiB a second the disk of dir keeps, one after another: what a program without
// group commit could accept at most.
func fsyncs(dir string) (perSecond float64, err error) {
	f, err := os.Create(filepath.Join(dir, "fsync"))
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, f.Close(), os.Remove(f.Name())) }()
	block := make([]byte, 4096)
	n, began := 0, time.Now()
	for ; time.Since(began) < fsyncTime; n++ {
		if _, err := f.Write(block); err != nil {
			return 0, err
		}
		if err := f.Sync(); err != nil {
			return 0, err
		}
	}
	return float64(n) / time.Since(began).Seconds(), nil
}
