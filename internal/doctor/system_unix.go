//go:build linux || darwin

package doctor

import (
	"io/fs"
	"os"
	"strconv"
	"syscall"
)

// DiskUsage says how full the disk of a folder is.
func DiskUsage(dir string) (Usage, error) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return Usage{}, &fs.PathError{Op: "statfs", Path: dir, Err: err}
	}
	block := uint64(s.Bsize)
	return Usage{Free: s.Bavail * block, Size: s.Blocks * block, FreeInodes: s.Ffree, SizeInodes: s.Files}, nil
}

// FileLimit says how many files and connections this process may have open.
func FileLimit() (now, most uint64, err error) {
	var r syscall.Rlimit
	err = syscall.Getrlimit(syscall.RLIMIT_NOFILE, &r)
	return r.Cur, r.Max, err
}

// owner says which user a file belongs to, and whether we are that user, or root.
func owner(info fs.FileInfo) (uid string, mine bool) {
	s, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return "", true
	}
	us := os.Geteuid()
	return strconv.Itoa(int(s.Uid)), us == 0 || us == int(s.Uid)
}
