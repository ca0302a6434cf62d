package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// Folder looks at a data folder: it must be there, belong to us, be closed to others, and take a file.
func Folder(dir string) Check {
	return Check{"data folder", func(context.Context) Result {
		info, err := os.Stat(dir)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return Result{Fail, dir + " does not exist", "install -d -m 700 " + quote(dir) + ", or give the right --data"}
		case err != nil:
			return Result{Fail, err.Error(), "run the command as the user who runs the server"}
		case !info.IsDir():
			return Result{Fail, dir + " is not a folder", "give the folder of the store with --data"}
		}
		if who, mine := owner(info); !mine {
			return Result{Fail, fmt.Sprintf("%s belongs to user %s, not to the one who runs this", dir, who),
				"sudo -u '#" + who + "' kabar doctor …"}
		}
		if err := tryWrite(dir); err != nil {
			return Result{Fail, "nothing can be written: " + err.Error(), "look at mount and permissions: mount | grep " + quote(dir) + "; ls -ld " + quote(dir)}
		}
		if perm := info.Mode().Perm(); perm&0o077 != 0 && runtime.GOOS != "windows" {
			return Result{Warn, fmt.Sprintf("%s has mode %04o: others on this machine can look into it", dir, perm), "chmod 700 " + quote(dir)}
		}
		if name, remote := filesystem(dir); remote {
			return Result{Warn, fmt.Sprintf("%s lies on %s: locks and fsync of a network filesystem are not to be trusted with a database", dir, name),
				"move the folder to a local disk, or use --database postgres://…"}
		}
		return Fine("%s, closed to others, writable", dir)
	}}
}

// tryWrite writes a file, syncs it and removes it.
func tryWrite(dir string) error {
	f, err := os.CreateTemp(dir, ".doctor-*")
	if err != nil {
		return err
	}
	_, err = f.WriteString("kabar doctor\n")
	return errors.Join(err, f.Sync(), f.Close(), os.Remove(f.Name()))
}

// Private looks at files that hold secrets: others on the machine must not be able to read them. Missing files are passed over:
// who needs them says so.
func Private(files ...string) Check {
	return Check{"secret files", func(context.Context) Result {
		var open, seen []string
		for _, name := range files {
			info, err := os.Stat(name)
			if name == "" || err != nil {
				continue
			}
			if seen = append(seen, name); info.Mode().Perm()&0o077 != 0 && runtime.GOOS != "windows" {
				open = append(open, quote(name))
			}
		}
		switch {
		case len(open) > 0:
			return Result{Fail, "others on this machine can read " + strings.Join(open, ", "), "chmod 600 " + strings.Join(open, " ")}
		case len(seen) == 0:
			return Skipped("no files with secrets are named")
		}
		return Fine("%d, closed to others", len(seen))
	}}
}

// backupAge is how old the newest backup may be.
const backupAge = 26 * time.Hour // once a day, and time to make it

// manifest is the file that a backup gets last: a folder with one is complete.
const manifest = "manifest.json"

// Backups looks for the newest complete backup: dir itself, or a folder in it. now is the time it is compared with.
func Backups(dir string, now time.Time) Check {
	return Check{"backups", func(context.Context) Result {
		if dir == "" {
			return Skipped("not looked at: give --backup-dir")
		}
		newest, err := newestBackup(dir)
		switch {
		case err != nil:
			return Result{Fail, "the backups cannot be read: " + err.Error(), "give the folder in which the backups are with --backup-dir"}
		case newest.IsZero():
			return Result{Fail, "there is no complete backup in " + dir, "kabar backup " + quote(filepath.Join(dir, now.Format(time.DateOnly))) + " --data …"}
		case now.Sub(newest) > backupAge:
			return Result{Warn, fmt.Sprintf("the newest in %s is %s old", dir, age(now.Sub(newest))), "systemctl list-timers | grep kabar; or run kabar backup by hand"}
		}
		return Fine("the newest is %s old", age(now.Sub(newest)))
	}}
}

// newestBackup returns when the newest backup was finished; zero when there is none. What is in the making has another name.
func newestBackup(dir string) (newest time.Time, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return newest, err
	}
	folders := []string{dir}
	for _, e := range entries {
		if e.IsDir() && !strings.HasSuffix(e.Name(), ".partial") {
			folders = append(folders, filepath.Join(dir, e.Name()))
		}
	}
	for _, folder := range folders {
		info, err := os.Stat(filepath.Join(folder, manifest))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return newest, err
		}
		if info.ModTime().After(newest) {
			newest = info.ModTime()
		}
	}
	return newest, nil
}

// age writes a duration for people.
func age(d time.Duration) string {
	const day = 24 * time.Hour
	switch d = max(d, 0); {
	case d >= 2*day:
		return fmt.Sprintf("%d days", d/day)
	case d >= 2*time.Hour:
		return fmt.Sprintf("%d hours", d/time.Hour)
	case d >= 2*time.Minute:
		return fmt.Sprintf("%d minutes", d/time.Minute)
	}
	return fmt.Sprintf("%d seconds", d/time.Second)
}

// quote makes a word for a shell.
func quote(s string) string {
	if s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-:") == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
