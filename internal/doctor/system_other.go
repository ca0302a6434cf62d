//go:build !linux && !darwin

package doctor

import (
	"errors"
	"io/fs"
)

// DiskUsage returns ErrNoUsage.
func DiskUsage(string) (Usage, error) { return Usage{}, ErrNoUsage }

// FileLimit fails: this system has no such limit.
func FileLimit() (now, most uint64, err error) { return 0, 0, errors.ErrUnsupported }

func owner(fs.FileInfo) (uid string, mine bool) { return "", true }
