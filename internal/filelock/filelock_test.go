package filelock_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kabar/internal/filelock"
)

func TestOneAtATime(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	first, err := filelock.Take(path)
	if err != nil {
		t.Fatal(err)
	}
	_, err = filelock.Take(path)
	var busy *filelock.InUseError
	if !errors.As(err, &busy) || !strings.Contains(busy.Owner, fmt.Sprint(os.Getpid())) {
		t.Fatalf("the second got %v, want an InUseError that names the first", err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	third, err := filelock.Take(path)
	if err != nil {
		t.Fatalf("after the first: %v", err)
	}
	if err := third.Close(); err != nil {
		t.Error(err)
	}
}
