//go:build unix

package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"kabar/internal/torture/scan"
)

// ciphertextCmd proves that the relay sees only ciphertext, and that what the server keeps is sealed.
type ciphertextCmd struct{}

// Help is shown by torture ciphertext --help.
func (*ciphertextCmd) Help() string {
	return `Canaries go through the whole product: in texts, names, file names, media and template parameters, both ways. Then the relay's frames,
database, media, log and memory are searched for them in every usual encoding, and the server's database, WAL and media for them
and for the keys that it holds. The phones keep their messages unsealed: there the same search must find them.`
}

// canaries are what goes through, and where.
type canaries struct {
	*scan.Scanner
	c *cluster
}

// Run sends, searches and judges.
func (*ciphertextCmd) Run(ctx context.Context, t *torture) error {
	return t.inFolder("ciphertext", 1, func(dir string) error {
		c, end, err := t.cluster(ctx, dir, "sqlite")
		if err != nil {
			return err
		}
		defer end()
		k := canaries{scan.New(), c}
		c.name, c.trouble = k.Canary("business"), 0
		if err := c.open(ctx); err != nil {
			return err
		}
		c.wire.args = append(c.wire.args, "--frames", c.path("frames"))
		if err := c.found(ctx, c.server.start); err != nil {
			return err
		}
		if err := k.send(ctx); err != nil {
			return err
		}
		summary, err := k.search()
		if err == nil {
			fmt.Fprintln(t.out, summary)
		}
		return err
	})
}

// send puts canaries into everything that can carry one, and waits until they have arrived.
func (k *canaries) send(ctx context.Context) error {
	const wa = "34600333001"
	phone, api := "http://"+k.c.phoneAddr+"/api/customers", "http://"+k.c.api+"/v1"
	var errs []error
	post := func(url, body string, contentType ...string) string {
		text, err := post(ctx, url, k.c.apiKey, body, contentType...)
		errs = append(errs, err)
		return text
	}
	post(phone, `{"name":"`+k.Canary("customer")+`","wa_id":"`+wa+`"}`)
	in := phone + "/" + wa + "/messages"
	post(in, `{"type":"text","text":{"body":"`+k.Canary("said")+`"}}`)
	document := idIn(post(phone+"/"+wa+"/media", strings.Repeat(k.Canary("bytes said")+"\n", 50), "text/plain"))
	post(in, `{"type":"document","document":{"id":"`+document+`","caption":"`+k.Canary("caption said")+`","filename":"`+k.Canary("file")+`.txt"}}`)
	post(in, `{"type":"location","location":{"latitude":1,"longitude":2,"name":"`+k.Canary("place")+`","address":"`+k.Canary("street")+`"}}`)
	if err := errors.Join(errs...); err != nil {
		return err
	}
	if err := k.eventually(ctx, in, k.Canary("said"), `"delivered"`); err != nil {
		return err
	}
	out := api + "/messages"
	to := `{"to":"` + wa + `",`
	post(out, to+`"type":"text","text":{"body":"`+k.Canary("text")+`"}}`)
	medium := idIn(post(api+"/media", strings.Repeat(k.Canary("bytes")+"\n", 50), "text/plain"))
	post(out, to+`"type":"document","document":{"id":"`+medium+`","caption":"`+k.Canary("caption")+`","filename":"`+k.Canary("name")+`.txt"}}`)
	post(out, to+`"type":"template","template":{"name":"`+templateName+`","language":{"policy":"deterministic","code":"en"},"components":[`+
		`{"type":"body","parameters":[{"type":"text","text":"`+k.Canary("parameter")+`"}]}]}}`)
	post(out, to+`"type":"interactive","interactive":{"type":"button","body":{"text":"`+k.Canary("question")+`"},"action":{"buttons":[`+
		`{"type":"reply","reply":{"id":"`+k.Canary("button")+`","title":"`+k.Canary("")+`"}}]}}}`)
	if err := errors.Join(errs...); err != nil {
		return err
	}
	for _, place := range []string{"text", "name", "parameter", "question"} {
		if err := k.eventually(ctx, in, k.Canary(place)); err != nil {
			return err
		}
	}
	return nil
}

// eventually waits until an address answers with all of the texts.
func (k *canaries) eventually(ctx context.Context, url string, texts ...string) error {
	for begun := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		answer, err := call(ctx, http.MethodGet, url, "", "")
		missing := ""
		for _, text := range texts {
			if !strings.Contains(answer, text) {
				missing = text
			}
		}
		if err == nil && missing == "" {
			return nil
		}
		if time.Since(begun) > readyWithin {
			return errors.Join(err, fmt.Errorf("%q has not arrived", missing))
		}
	}
}

// search looks everywhere while the processes run, and once more into the files when they have stopped.
func (k *canaries) search() (summary string, err error) {
	var hits []scan.Hit
	memory := int64(0)
	look := func(dir string) int {
		found, n, e := k.Folder(dir)
		hits, err = append(hits, found...), errors.Join(err, e)
		return n
	}
	found, memory, e := k.Memory(k.c.relay.cmd.Process.Pid)
	hits, err = append(hits, found...), errors.Join(err, e)
	files := look(k.c.path("relay")) + look(k.c.path("server"))
	control, _, e := k.Folder(k.c.path("phone"))
	controlMemory, _, e2 := k.Memory(k.c.phone.cmd.Process.Pid)
	err = errors.Join(err, e, e2, k.c.relay.finish(readyWithin), k.c.server.finish(readyWithin))
	files += look(k.c.path("relay")) + look(k.c.path("server")) // a checkpoint has moved everything
	frames, e := os.ReadFile(k.c.path("frames"))
	hits, err = append(hits, k.Bytes("frames", frames, true)...), errors.Join(err, e)
	for _, log := range []string{"relay.log", "server.log"} {
		b, e := os.ReadFile(k.c.path("logs", log))
		found := k.Bytes(log, b, true)
		hits, err = append(hits, found...), errors.Join(err, e)
	}
	if err != nil {
		return "", err
	}
	if len(control) == 0 || len(controlMemory) == 0 {
		return "", errors.New("the canaries were not found on the phones, which keep them unsealed: the search is no good")
	}
	hits = slices.DeleteFunc(hits, func(h scan.Hit) bool { // the business's own name is no message: its server knows it
		return strings.HasPrefix(h.Place, k.c.path("server")) && strings.HasPrefix(h.Text, k.Canary("business"))
	})
	if len(hits) > 0 {
		return "", fmt.Errorf("plaintext was found in %d places:\n%v", len(hits), shown(hits))
	}
	pieces, err := k.keys()
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("ciphertext: no canary in %d bytes of frames, %d files and %d MiB of the relay's memory, none at rest on the server, "+
		"no piece of %d pieces of keys there; the same search found %d on the phones and %d in their memory",
		len(frames), files, memory>>20, pieces, len(control), len(controlMemory)), nil
}

func shown(hits []scan.Hit) string {
	var lines []string
	for _, h := range hits[:min(20, len(hits))] {
		lines = append(lines, h.String())
	}
	return strings.Join(lines, "\n")
}

// keys looks for the keys that the server holds in the files it has written.
func (k *canaries) keys() (pieces int, err error) {
	var s scan.Secrets
	known, err := serverSecrets(k.c.path("server", "kabar.db"), k.c.path("master.key"))
	if err != nil {
		return 0, err
	}
	for name, secret := range known {
		pieces += s.Add(name, secret)
	}
	if pieces < 20 {
		return 0, fmt.Errorf("only %d pieces of keys are known: the search is no good", pieces)
	}
	found, err := s.Folder(k.c.path("server"))
	if err != nil {
		return 0, err
	}
	for file, names := range found {
		err = errors.Join(err, fmt.Errorf("%s holds %s in clear", filepath.Base(file), names[0]))
	}
	return pieces, err
}
