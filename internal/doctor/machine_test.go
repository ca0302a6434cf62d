package doctor_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"kabar/internal/doctor"
)

const (
	mib = 1 << 20
	gib = 1 << 30
)

func TestFolder(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := errors.Join(os.Chmod(dir, 0o700), os.WriteFile(file, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	want(t, "good", run(t, doctor.Folder(dir)), doctor.OK, dir, "")
	want(t, "missing", run(t, doctor.Folder(dir+"/none here")), doctor.Fail, "does not exist", "install -d -m 700 '"+dir+"/none here'")
	want(t, "file", run(t, doctor.Folder(file)), doctor.Fail, "is not a folder", "--data")
	if left, err := filepath.Glob(dir + "/.doctor*"); len(left) > 0 || err != nil {
		t.Errorf("left behind: %v, %v", left, err)
	}
	if runtime.GOOS == "windows" {
		return // it has no modes
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	want(t, "open", run(t, doctor.Folder(dir)), doctor.Warn, "0755", "chmod 700")
	if os.Geteuid() == 0 {
		return // root may write everywhere
	}
	if err := os.Chmod(dir, 0o500); err != nil {
		t.Fatal(err)
	}
	want(t, "read-only", run(t, doctor.Folder(dir)), doctor.Fail, "nothing can be written", "ls -ld")
}

func TestSpace(t *testing.T) {
	for name, c := range map[string]struct {
		u           doctor.Usage
		err         error
		level       doctor.Level
		detail, fix string
	}{
		"plenty":         {doctor.Usage{Free: 50 * gib, Size: 100 * gib}, nil, doctor.OK, "50 GiB of 100 GiB free", ""},
		"just enough":    {doctor.Usage{Free: gib, Size: 10 * gib}, nil, doctor.OK, "1.0 GiB", ""},
		"under a tenth":  {doctor.Usage{Free: 9 * gib, Size: 100 * gib}, nil, doctor.Warn, "9.0 GiB", "du -xh"},
		"under a gib":    {doctor.Usage{Free: gib - 1, Size: 2 * gib}, nil, doctor.Warn, "1023 MiB", "du -xh"},
		"nearly nothing": {doctor.Usage{Free: 100*mib - 1, Size: 100 * gib}, nil, doctor.Fail, "about to stop", "du -xh"},
		"few inodes":     {doctor.Usage{Free: 50 * gib, Size: 100 * gib, FreeInodes: 4, SizeInodes: 100}, nil, doctor.Warn, "4 of 100 inodes", "df -i"},
		"no inodes":      {doctor.Usage{Free: 50 * gib, Size: 100 * gib, SizeInodes: 100}, nil, doctor.Fail, "no inodes", "df -i"},
		"not told":       {doctor.Usage{}, doctor.ErrNoUsage, doctor.Skip, "does not say", ""},
		"broken":         {doctor.Usage{}, fs.ErrPermission, doctor.Fail, "permission denied", "df -h"},
	} {
		want(t, name, run(t, doctor.Space("/data", func() (doctor.Usage, error) { return c.u, c.err })), c.level, c.detail, c.fix)
	}
	u, err := doctor.DiskUsage(t.TempDir())
	if !errors.Is(err, doctor.ErrNoUsage) && (err != nil || u.Size == 0 || u.Free > u.Size) {
		t.Errorf("%+v, %v", u, err)
	}
}

func TestPrivate(t *testing.T) {
	if runtime.GOOS == "windows" {
		return // it has no modes
	}
	dir := t.TempDir()
	closed, open := filepath.Join(dir, "closed"), filepath.Join(dir, "open")
	if err := errors.Join(os.WriteFile(closed, nil, 0o600), os.WriteFile(open, nil, 0o600), os.Chmod(open, 0o640)); err != nil {
		t.Fatal(err)
	}
	want(t, "none", run(t, doctor.Private("", dir+"/missing")), doctor.Skip, "no files", "")
	want(t, "closed", run(t, doctor.Private(closed, "")), doctor.OK, "1, closed", "")
	want(t, "open", run(t, doctor.Private(closed, open)), doctor.Fail, open, "chmod 600 "+open)
}

func TestBackups(t *testing.T) {
	dir, now := t.TempDir(), time.Date(2026, 7, 10, 12, 0, 0, 0, time.UTC)
	want(t, "not given", run(t, doctor.Backups("", now)), doctor.Skip, "--backup-dir", "")
	want(t, "missing", run(t, doctor.Backups(dir+"/none", now)), doctor.Fail, "cannot be read", "--backup-dir")
	want(t, "empty", run(t, doctor.Backups(dir, now)), doctor.Fail, "no complete backup", "kabar backup "+dir+"/2026-07-10")
	for _, folder := range []string{"sunday.partial", "other"} {
		if err := os.Mkdir(filepath.Join(dir, folder), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "sunday.partial", "manifest.json"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	want(t, "only an unfinished one", run(t, doctor.Backups(dir, now)), doctor.Fail, "no complete backup", "kabar backup")
	name := filepath.Join(dir, "monday", "manifest.json")
	if err := errors.Join(os.Mkdir(filepath.Dir(name), 0o700), os.WriteFile(name, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	for age, level := range map[time.Duration]doctor.Level{time.Hour: doctor.OK, 26 * time.Hour: doctor.OK, 27 * time.Hour: doctor.Warn, 100 * 24 * time.Hour: doctor.Warn} {
		if err := os.Chtimes(name, now.Add(-age), now.Add(-age)); err != nil {
			t.Fatal(err)
		}
		want(t, age.String(), run(t, doctor.Backups(dir, now)), level, "old", "")
	}
}

func TestLimits(t *testing.T) {
	for n, level := range map[uint64]doctor.Level{64: doctor.Fail, 1024: doctor.Warn, 65536: doctor.OK} {
		want(t, "files", run(t, doctor.Files(func() (uint64, uint64, error) { return n, 1 << 20, nil })), level, "", "")
	}
	want(t, "no limit", run(t, doctor.Files(func() (uint64, uint64, error) { return 0, 0, errors.ErrUnsupported })), doctor.Skip, "no limit", "")

	t.Setenv("GOMEMLIMIT", "")
	want(t, "none", run(t, doctor.Memory(0)), doctor.OK, "none", "")
	want(t, "little", run(t, doctor.Memory(128*mib)), doctor.Warn, "128 MiB", "MemoryMax")
	want(t, "unknown to Go", run(t, doctor.Memory(gib)), doctor.Warn, "1.0 GiB", "GOMEMLIMIT=921MiB")
	t.Setenv("GOMEMLIMIT", "900MiB")
	want(t, "known", run(t, doctor.Memory(gib)), doctor.OK, "900MiB", "")

	for text, limit := range map[string]uint64{"max\n": 0, "536870912\n": 512 * mib, "9223372036854771712\n": 0, "nonsense": 0} {
		if got := doctor.MemoryLimit(func(string) ([]byte, error) { return []byte(text), nil }); got != limit {
			t.Errorf("%q: %d, want %d", text, got, limit)
		}
	}
	if got := doctor.MemoryLimit(func(string) ([]byte, error) { return nil, fs.ErrNotExist }); got != 0 {
		t.Error(got)
	}
}

func TestClock(t *testing.T) {
	for shift, c := range map[time.Duration]struct {
		level  doctor.Level
		detail string
	}{
		0:                  {doctor.OK, "as the relay"},
		20 * time.Second:   {doctor.OK, "as the relay"},
		40 * time.Second:   {doctor.Warn, "behind the relay"},
		-40 * time.Second:  {doctor.Warn, "ahead of the relay"},
		-400 * time.Minute: {doctor.Warn, "6 hours ahead"},
	} {
		r := run(t, doctor.Clock("the relay", func(context.Context) (time.Time, error) { return time.Now().Add(shift), nil }))
		want(t, shift.String(), r, c.level, c.detail, "")
	}
	r := run(t, doctor.Clock("the relay", func(context.Context) (time.Time, error) { return time.Time{}, errors.New("away") }))
	want(t, "away", r, doctor.Skip, "away", "")
}
