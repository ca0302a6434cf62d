// Package filelock takes a file for one process at a time, by a lock of the operating system: it ends with the process, however
// that dies, so a file that was left behind blocks nobody. Whoever holds it writes its name into it, for people.
package filelock

import (
	"fmt"
	"io"
	"os"
	"strings"
)

// InUseError says that another process holds the lock.
type InUseError struct {
	Path  string // the lock file
	Owner string // "process 4711 on host", as the owner wrote it; may be empty
}

func (e *InUseError) Error() string {
	owner := e.Owner
	if owner == "" {
		owner = "another process"
	}
	return fmt.Sprintf("%s is in use by %s: stop that process, or use another data folder", strings.TrimSuffix(e.Path, ".lock"), owner)
}

// Take locks path for this process, until the file is closed. A second process gets an *InUseError.
func Take(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock: %w", err)
	}
	if err := lockFile(f); err != nil {
		owner, _ := io.ReadAll(io.LimitReader(f, 200)) // the name is a courtesy; without it the error still holds
		_ = f.Close()
		return nil, &InUseError{Path: path, Owner: strings.TrimSpace(string(owner))}
	}
	host, _ := os.Hostname()
	me := fmt.Sprintf("process %d on %s\n", os.Getpid(), host)
	if err = f.Truncate(0); err == nil {
		_, err = f.WriteAt([]byte(me), 0)
	}
	if err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("lock: %w", err)
	}
	return f, nil
}
