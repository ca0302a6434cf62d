package doctor

import (
	"context"
	"errors"
	"fmt"
)

// Usage is how full a disk is.
type Usage struct {
	Free, Size             uint64 // bytes; Free is what an ordinary user may still fill
	FreeInodes, SizeInodes uint64 // 0 and 0: the filesystem has no fixed number
}

// ErrNoUsage says that this system does not tell how full a disk is.
var ErrNoUsage = errors.New("this system does not say how full a disk is")

const (
	mib = 1 << 20
	gib = 1 << 30
)

// Where little is too little.
const (
	diskFail   = 100 * mib
	diskWarn   = gib
	diskParts  = 10 // of the size, one of so many
	inodeParts = 20
)

// Space looks at how full the disk of a folder is. usage is DiskUsage of it.
func Space(dir string, usage func() (Usage, error)) Check {
	return Check{"disk", func(context.Context) Result {
		u, err := usage()
		if errors.Is(err, ErrNoUsage) {
			return Skipped("%v", err)
		}
		if err != nil {
			return Result{Fail, "the disk cannot be looked at: " + err.Error(), "df -h " + quote(dir)}
		}
		return judgeSpace(dir, u)
	}}
}

func judgeSpace(dir string, u Usage) Result {
	left := fmt.Sprintf("%s of %s free", bytes(u.Free), bytes(u.Size))
	fix := "make room or enlarge it: du -xh " + quote(dir) + " | sort -h | tail; the webhooks' backlog and media need most"
	switch {
	case u.Free < diskFail:
		return Result{Fail, left + ": the store is about to stop", fix}
	case u.SizeInodes > 0 && u.FreeInodes == 0:
		return Result{Fail, "no inodes are free: no file can be made", "df -i " + quote(dir) + "; remove small files that nobody needs"}
	case u.Free < diskWarn, u.Free < u.Size/diskParts:
		return Result{Warn, left, fix}
	case u.SizeInodes > 0 && u.FreeInodes < u.SizeInodes/inodeParts:
		return Result{Warn, fmt.Sprintf("%d of %d inodes free", u.FreeInodes, u.SizeInodes), "df -i " + quote(dir) + "; each medium takes one"}
	}
	return Fine("%s", left)
}

// bytes writes a size for people.
func bytes(n uint64) string {
	switch {
	case n >= 10*gib:
		return fmt.Sprintf("%d GiB", n/gib)
	case n >= gib:
		return fmt.Sprintf("%.1f GiB", float64(n)/gib)
	}
	return fmt.Sprintf("%d MiB", n/mib)
}
