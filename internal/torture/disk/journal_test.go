//go:build unix

package disk_test

import (
	"errors"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"kabar/internal/torture/disk"
)

func clone(t *testing.T, dir string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "clone")
	if err := os.CopyFS(to, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	return to
}

// after returns the files of a folder as it was found after each of many cuts: "name=content name=content", each once.
func after(t *testing.T, d *disk.Disk) []string {
	t.Helper()
	seen := map[string]bool{}
	for seed := range uint64(60) {
		dir := t.TempDir()
		if err := d.Cut(seed, dir); err != nil {
			t.Fatal(err)
		}
		var all []string
		err := fs.WalkDir(os.DirFS(dir), ".", func(path string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() {
				return err
			}
			b, err := os.ReadFile(filepath.Join(dir, path))
			all = append(all, path+"="+string(b))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		seen[strings.Join(all, " ")] = true
	}
	return slices.Sorted(maps.Keys(seen))
}

func must(t *testing.T, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

// put writes a file and syncs what it is told to.
func put(t *testing.T, r *disk.Root, name, text string, sync bool) {
	t.Helper()
	f, err := r.OpenFile(name, os.O_WRONLY|os.O_CREATE, 0o600)
	must(t, err)
	_, err = f.Write([]byte(text))
	must(t, err)
	if sync {
		must(t, f.Sync())
	}
	must(t, f.Close())
}

func syncFolder(t *testing.T, r *disk.Root) {
	t.Helper()
	f, err := r.Open(".")
	must(t, err, f.Sync(), f.Close())
}

func TestWhatSurvives(t *testing.T) {
	for _, c := range []struct {
		what string
		do   func(t *testing.T, r *disk.Root)
		want []string
	}{
		{"nothing done", func(*testing.T, *disk.Root) {}, []string{"old=was"}},
		{"a name without its folder", func(t *testing.T, r *disk.Root) { put(t, r, "a", "x", true) },
			[]string{"a=x old=was", "old=was"}},
		{"a file without a sync", func(t *testing.T, r *disk.Root) { put(t, r, "a", "x", false); syncFolder(t, r) },
			[]string{"a= old=was", "a=x old=was"}},
		{"all synced", func(t *testing.T, r *disk.Root) { put(t, r, "a", "x", true); syncFolder(t, r) }, []string{"a=x old=was"}},
		{"a rename", func(t *testing.T, r *disk.Root) {
			put(t, r, "a", "x", true)
			syncFolder(t, r)
			must(t, r.Rename("a", "b"))
		}, []string{"a=x old=was", "b=x old=was"}},
		{"a rename over", func(t *testing.T, r *disk.Root) {
			put(t, r, "a", "x", true)
			syncFolder(t, r)
			must(t, r.Rename("a", "old"))
		}, []string{"a=x old=was", "old=x"}},
		{"a removal", func(t *testing.T, r *disk.Root) { must(t, r.Remove("old")) }, []string{"", "old=was"}},
		{"a removal, synced", func(t *testing.T, r *disk.Root) { must(t, r.Remove("old")); syncFolder(t, r) }, []string{""}},
		{"a write over", func(t *testing.T, r *disk.Root) { put(t, r, "old", "is!", false) }, []string{"old=is!", "old=was"}},
		{"a truncation", func(t *testing.T, r *disk.Root) {
			f, err := r.OpenFile("old", os.O_WRONLY, 0)
			must(t, err, f.Truncate(1), f.Close())
		}, []string{"old=w", "old=was"}},
		{"a later write without the earlier", func(t *testing.T, r *disk.Root) {
			f, err := r.OpenFile("old", os.O_WRONLY, 0)
			must(t, err)
			_, err = f.WriteAt([]byte("W"), 0)
			must(t, err)
			_, err = f.WriteAt([]byte("S"), 2)
			must(t, err, f.Close())
		}, []string{"old=WaS", "old=Was", "old=waS", "old=was"}},
		{"what was closed and made again", func(t *testing.T, r *disk.Root) {
			must(t, r.Remove("old"))
			put(t, r, "old", "new", true)
			syncFolder(t, r)
		}, []string{"old=new"}},
	} {
		t.Run(c.what, func(t *testing.T) {
			dir := t.TempDir()
			must(t, os.WriteFile(filepath.Join(dir, "old"), []byte("was"), 0o600))
			d := claim(t, dir)
			r, err := disk.OpenRoot(dir)
			must(t, err)
			c.do(t, r)
			must(t, r.Close())
			if got := after(t, d); !slices.Equal(got, c.want) {
				t.Errorf("got %q\nwant %q", got, c.want)
			}
		})
	}
}

// TestAWriteIsTornBetweenSectors: of a long write any sectors may be there, whole, wherever the write began.
func TestAWriteIsTornBetweenSectors(t *testing.T) {
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "f"), []byte(strings.Repeat(".", 2048)), 0o600))
	d := claim(t, dir)
	r, err := disk.OpenRoot(dir)
	must(t, err)
	f, err := r.OpenFile("f", os.O_WRONLY, 0)
	must(t, err)
	_, err = f.WriteAt([]byte(strings.Repeat("x", 1536)), 100)
	must(t, err, f.Close(), r.Close())
	torn := 0
	for _, s := range after(t, d) {
		b := strings.TrimPrefix(s, "f=")
		for _, part := range []string{b[:100], b[100:512], b[512:1024], b[1024:1536], b[1536:1636], b[1636:]} {
			if strings.Trim(part, part[:1]) != "" {
				t.Fatalf("a sector is torn: %q", part)
			}
		}
		if n := strings.Count(b, "x"); n > 0 && n < 1536 {
			torn++
		}
	}
	if torn == 0 {
		t.Error("no write was torn")
	}
}

// TestTheSameSeedTheSameDisk: a cut can be repeated.
func TestTheSameSeedTheSameDisk(t *testing.T) {
	dir := t.TempDir()
	d := claim(t, dir)
	r, err := disk.OpenRoot(dir)
	must(t, err)
	for name := range strings.SplitSeq("abcdefghijklmnop", "") {
		put(t, r, name, strings.Repeat(name, 3000), name < "h")
	}
	must(t, r.Close())
	one, two := t.TempDir(), t.TempDir()
	must(t, d.Cut(7, one), d.Cut(7, two))
	for name := range strings.SplitSeq("abcdefghijklmnop", "") {
		a, errA := os.ReadFile(filepath.Join(one, name))
		b, errB := os.ReadFile(filepath.Join(two, name))
		if string(a) != string(b) || (errA == nil) != (errB == nil) {
			t.Errorf("%s differs", name)
		}
	}
}

func TestNothingHappensAfterTheCut(t *testing.T) {
	dir := t.TempDir()
	d := claim(t, dir)
	r, err := disk.OpenRoot(dir)
	must(t, err)
	defer r.Close()
	put(t, r, "a", "x", true)
	f, err := r.OpenFile("a", os.O_WRONLY, 0)
	must(t, err)
	defer f.Close()
	d.CutAt(1)
	_, werr := f.Write([]byte("y"))
	_, oerr := r.OpenFile("b", os.O_WRONLY|os.O_CREATE, 0o600)
	for what, err := range map[string]error{"write": werr, "create": oerr, "sync": f.Sync(), "truncate": f.Truncate(0),
		"rename": r.Rename("a", "c"), "remove": r.Remove("a"), "mkdir": disk.MkdirAll(filepath.Join(dir, "d"), 0o700)} {
		if !errors.Is(err, syscall.EIO) {
			t.Errorf("%s: %v", what, err)
		}
	}
	select {
	case <-d.Down():
	default:
		t.Error("the power is still on")
	}
	if b, err := os.ReadFile(filepath.Join(dir, "a")); string(b) != "x" || err != nil {
		t.Errorf("%q, %v", b, err)
	}
}

// TestTheNthCallFails: of a script each call fails in its turn, only that one, and with the error of its kind.
func TestTheNthCallFails(t *testing.T) {
	script := func(dir string) (errs []error) {
		errs = append(errs, disk.MkdirAll(filepath.Join(dir, "m"), 0o700))
		r, err := disk.OpenRoot(dir)
		must(t, err)
		defer r.Close()
		f, err := r.OpenFile("a", os.O_WRONLY|os.O_CREATE, 0o600)
		if errs = append(errs, err); err == nil {
			_, err = io.Copy(f, strings.NewReader("four"))
			errs = append(errs, err, f.Truncate(2), f.Sync(), f.Close())
		}
		return append(errs, r.Rename("a", "b"), r.Remove("b"))
	}
	for kind, want := range map[disk.Kind]struct {
		err   error
		fails int
	}{disk.EIO: {syscall.EIO, 7}, disk.ENOSPC: {syscall.ENOSPC, 3}, disk.Short: {syscall.ENOSPC, 1}} {
		fails := map[string]bool{}
		for n := int64(1); ; n++ {
			dir := t.TempDir()
			d := claim(t, dir)
			must(t, d.Fail(n, kind, 1))
			err := errors.Join(script(dir)...)
			calls, hits := d.Calls(), d.Heal()
			if hits == 0 {
				if err != nil {
					t.Errorf("%s, call %d: %v without a fault", kind, n, err)
				}
				if calls != 7 {
					t.Errorf("%d calls", calls)
				}
				break
			}
			if hits != 1 || !errors.Is(err, want.err) {
				t.Errorf("%s, call %d: hit %d times, %v", kind, n, hits, err)
			}
			fails[strings.SplitN(err.Error(), "\n", 2)[0]] = true
		}
		if kind == disk.EIO && len(fails) < 6 {
			t.Errorf("%s: %v", kind, fails)
		}
	}
}

// TestAFailedSyncForgets: what waited for a sync that failed does not become durable by the next one.
func TestAFailedSyncForgets(t *testing.T) {
	dir, lost := t.TempDir(), 0
	d := claim(t, dir)
	r, err := disk.OpenRoot(dir)
	must(t, err)
	defer r.Close()
	for i := range 20 {
		name := string(rune('a' + i))
		f, err := r.OpenFile(name, os.O_WRONLY|os.O_CREATE, 0o600)
		must(t, err)
		_, err = f.WriteAt([]byte("is"), 0)
		must(t, err, d.Fail(1, disk.EIO, 1))
		if err := f.Sync(); !errors.Is(err, syscall.EIO) {
			t.Fatal(err)
		}
		_, err = f.WriteAt([]byte("!"), 2)
		must(t, err, f.Sync(), f.Close())
		syncFolder(t, r)
	}
	to := t.TempDir()
	must(t, d.Cut(1, to))
	for i := range 20 {
		b, err := os.ReadFile(filepath.Join(to, string(rune('a'+i))))
		must(t, err)
		if b[2] != '!' {
			t.Errorf("%q", b)
		}
		if string(b) != "is!" {
			lost++
		}
	}
	if lost == 0 || lost == 20 {
		t.Errorf("forgotten %d times of 20", lost)
	}
}

// TestWithoutAClaim: a folder that nobody has claimed behaves as it does under package os.
func TestWithoutAClaim(t *testing.T) {
	claim(t, t.TempDir())
	dir := filepath.Join(t.TempDir(), "new")
	must(t, disk.MkdirAll(dir, 0o700))
	r, err := disk.OpenRoot(dir)
	must(t, err)
	defer r.Close()
	put(t, r, "a", "x", true)
	must(t, r.Rename("a", "b"))
	syncFolder(t, r)
	f, err := disk.Open(dir)
	must(t, err)
	defer f.Close()
	if names, err := f.Readdirnames(-1); err != nil || !slices.Equal(names, []string{"b"}) {
		t.Errorf("%q, %v", names, err)
	}
	if _, err := r.Open("a"); !errors.Is(err, disk.ErrNotExist) {
		t.Error(err)
	}
	if _, err := r.Open("../new/b"); err == nil {
		t.Error("a way out of the folder")
	}
	must(t, r.Remove("b"))
}
