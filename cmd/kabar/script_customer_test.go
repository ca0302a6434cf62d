package main

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/sync/errgroup"

	"kabar/internal/patience"
)

// cmdHeld looks for texts in every file of a folder: held DIR TEXT… needs each of them in one file at least, ! held that none is in any.
func cmdHeld(ts *testscript.TestScript, neg bool, args []string) {
	found, files := map[string]string{}, 0
	ts.Check(filepath.WalkDir(ts.MkAbs(args[0]), func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		files++
		b, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		for _, text := range args[1:] {
			if bytes.Contains(b, []byte(text)) {
				found[text] = name
			}
		}
		return nil
	}))
	if files == 0 {
		ts.Fatalf("there are no files")
	}
	for _, text := range args[1:] {
		switch name := found[text]; {
		case neg && name != "":
			ts.Fatalf("%q is in %s", text, name)
		case !neg && name == "":
			ts.Fatalf("%q is in no file", text)
		}
	}
}

// cmdHalf has a customer erased and kills the server in the middle: half WA_ID NUMBER DATA.
func cmdHalf(ts *testscript.TestScript, _ bool, args []string) {
	api, key := ts.Getenv("API")+"/kabar/v1/", "Authorization: Bearer "+ts.Getenv("KEY")
	lock := ts.ReadFile(args[2] + "/kabar.db.lock")
	ended := make(chan string, 1)
	go func() {
		out, err := call(ts, []string{"-h", key, http.MethodDelete, api + "customers/" + args[0]})
		if err != nil {
			out = ""
		}
		ended <- out
	}()
	begun := func() bool {
		out, err := call(ts, []string{"-h", key, http.MethodGet, api + "messages?limit=1&number=" + args[1] + "&wa_id=" + args[0]})
		return err == nil && strings.Contains(out, `"data":[]`)
	}
	for deadline := time.Now().Add(patience.Limit); !begun(); {
		if time.Now().After(deadline) {
			ts.Fatalf("the erasing has not begun")
		}
	}
	kill(lock)
	if out := <-ended; out != "" {
		ts.Fatalf("the erasing was over before the server was killed: %s", out)
	}
}

// cmdTexts sends n texts with the same words to a customer, several at a time: texts TO N WORDS.
func cmdTexts(ts *testscript.TestScript, _ bool, args []string) {
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	var g errgroup.Group
	g.SetLimit(16)
	body := fmt.Sprintf(`{"to":%q,"type":"text","text":{"body":%q}}`, args[0], args[2])
	for range n {
		g.Go(func() error {
			out, err := call(ts, []string{http.MethodPost, ts.Getenv("API") + "/v1/messages", body})
			if err == nil && !strings.HasPrefix(out, "201") {
				err = errors.New(out)
			}
			return err
		})
	}
	ts.Check(g.Wait())
}

// cmdUnpack unpacks an archive: unpack FILE.zip DIR.
func cmdUnpack(ts *testscript.TestScript, _ bool, args []string) {
	r, err := zip.OpenReader(ts.MkAbs(args[0]))
	ts.Check(err)
	defer func() { _ = r.Close() }() // read only
	ts.Check(os.CopyFS(ts.MkAbs(args[1]), r))
}
