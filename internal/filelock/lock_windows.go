package filelock

import (
	"os"

	"golang.org/x/sys/windows"
)

func lockFile(f *os.File) error {
	// The range lies far beyond the owner's name, so that others can still read who holds the lock.
	at := &windows.Overlapped{Offset: 1 << 30}
	return windows.LockFileEx(windows.Handle(f.Fd()), windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, at)
}
