package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// folderMark is the file in a data folder that says whose it is.
const folderMark = "kabar.folder"

// known are the files by which the folder of a program is known that was made before there was a mark.
var known = map[string][]string{"serve": {"kabar.db", "media"}, "relay": {"relay.db"}, "phone": {"phone.db"},
	"dev": {filepath.Join("keys", "master.key"), filepath.Join("relay", "relay.db")}}

// claim makes a data folder, or checks that it is one of the program's: a folder of another program, or of somebody's own, that
// was named by mistake is left alone. What lies there under a name with a dot, and lost+found, do not count.
func claim(dir, program string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("--data: %w", err)
	}
	mark := filepath.Join(dir, folderMark)
	text, err := os.ReadFile(mark)
	if owner := strings.TrimSpace(string(text)); err == nil && owner != program {
		return &usageError{fmt.Errorf("--data %s: this is a folder of kabar %s", dir, owner)}
	}
	if err == nil || !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	list, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("--data: %w", err)
	}
	ours := slices.ContainsFunc(known[program], func(name string) bool {
		_, err := os.Lstat(filepath.Join(dir, name))
		return err == nil
	})
	strange := ""
	for _, e := range list {
		if name := e.Name(); !strings.HasPrefix(name, ".") && name != "lost+found" {
			strange = name
		}
	}
	if strange != "" && !ours {
		return &usageError{fmt.Errorf("--data %s: the folder is not empty (%s), and none of kabar %s: give it a folder of its own", dir, strange, program)}
	}
	return writeFile(mark, []byte(program+"\n"))
}
