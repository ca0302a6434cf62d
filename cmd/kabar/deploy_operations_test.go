package main

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"kabar/internal/patience"
)

// backupAndRestore does section 7 of the page. The backup is made while messages flow, and the loss comes while they do.
func (v *traffic) backupAndRestore(page []*block) {
	v.t.Helper()
	medium := v.upload()
	kept := v.all()
	flowing := v.load("at the backup", 2)
	v.m.follow(page, "7", false)
	flowing()
	v.m.do("sudo systemctl start kabar-backup") // what the timer does at night
	if made, _ := filepath.Glob(v.m.path("var/lib/kabar/backup/20*Z/manifest.json")); len(made) != 1 {
		v.t.Errorf("the nightly backup has made %q", made)
	}
	v.m.do("sudo systemctl restart kabar") // a start gives out numbers that the backup does not know of
	v.exchange("to be lost", some(10))

	since := v.all()
	v.lost = since.without(kept)
	away := func() (int, int) { v.t.Fatal("the page does not put the lost data aside"); return 0, 0 }
	v.m.before = func(command string) {
		if strings.Contains(command, "server.lost") { // the server has stopped: what the customer writes now waits for the next
			v.app.begin()
			away = v.load("while it is away", 0)
		}
	}
	v.m.follow(page, "7", true)
	v.trust() // the certificate is not in the backup: the server has made itself another
	away()
	v.exchange("after", some(20))
	v.arrived("after the restore", kept.and(v.all().without(since)))
	v.knows(kept.wrote[0], medium)
}

// upload stores a medium at the server.
func (v *traffic) upload() (id string) {
	v.t.Helper()
	_, answer, err := v.api(http.MethodPost, "/v1/media", "", []byte(medium))
	found := regexp.MustCompile(`"id":"([^"]+)"`).FindSubmatch(answer)
	if err != nil || found == nil {
		v.t.Fatalf("upload: %v %s", err, answer)
	}
	return string(found[1])
}

const medium = "a text that is kept as a medium\n"

// knows checks that the server has a message and a medium of before the restore.
func (v *traffic) knows(text, id string) {
	v.t.Helper()
	v.app.mu.Lock()
	message := v.app.messages[text]
	v.app.mu.Unlock()
	res, answer, err := v.api(http.MethodPut, "/v1/messages/"+message, "", []byte(`{"status":"read"}`))
	if err != nil || res.StatusCode/100 != 2 {
		v.t.Errorf("%q, which the backup has, cannot be marked as read: %v %s", text, err, answer)
	}
	res, answer, err = v.api(http.MethodGet, "/v1/media/"+id, "", nil)
	if err != nil || res.StatusCode != http.StatusOK || !bytes.Equal(answer, []byte(medium)) {
		v.t.Errorf("the medium that the backup has is %v %q", err, answer)
	}
}

// rotate replaces the master key under load, as docs/operations.md says for a service that has it as a credential.
func (v *traffic) rotate() {
	v.t.Helper()
	before, err := os.ReadFile(v.m.path("etc/kabar/master.key"))
	v.m.must(err)
	page, err := os.ReadFile("../../docs/operations.md")
	v.m.must(err)
	_, steps, found := strings.Cut(string(page), "```sh rotate\n")
	steps, _, ended := strings.Cut(steps, "```")
	if !found || !ended {
		v.t.Fatal("docs/operations.md has no block \"sh rotate\"")
	}
	stop := v.load("at the rotation", 8)
	var rotated string
	for _, command := range (&block{text: steps}).commands() {
		if strings.Contains(command, "restart") {
			v.flows(8) // under the new key, before the restart
			if accepted, refused := stop(); refused > 0 {
				v.t.Errorf("while the key was rotated, %d messages were accepted and %d refused", accepted, refused)
			}
		}
		rotated += v.m.do(command)
	}
	v.exchange("under the new key", some(10))
	v.arrived("after the rotation", v.all().without(v.lost))
	v.oldBackup(before, rotated)
}

// oldBackup restores a backup of before the rotation: that takes the earlier key.
func (v *traffic) oldBackup(before []byte, rotated string) {
	v.t.Helper()
	ids := regexp.MustCompile(`under the master key (\S+) now, and was under (\S+?)\.`).FindStringSubmatch(rotated)
	if ids == nil {
		v.t.Fatalf("the rotation does not name the keys: %s", rotated)
	}
	restore := "sudo kabar restore /var/lib/kabar/backup/first --data /var/lib/kabar/proof --master-key-file "
	out, ok := v.m.try(restore + "/etc/kabar/master.key")
	if ok || !strings.Contains(out, ids[1]) || !strings.Contains(out, ids[2]) {
		v.t.Errorf("a backup of before the rotation, restored with the new key: %v %s; want a refusal that names both", ok, out)
	}
	kept, _ := filepath.Glob(v.m.path("etc/kabar/master.key.previous*"))
	if len(kept) != 1 {
		v.t.Fatalf("the earlier key is kept as %q", kept)
	}
	if text, err := os.ReadFile(kept[0]); err != nil || !bytes.Equal(text, before) {
		v.t.Errorf("the file of the earlier key is another one, %v", err)
	}
	v.m.do(restore + "/etc/kabar/" + filepath.Base(kept[0]))
}

// restartDatabase ends PostgreSQL at once under load, twice, and starts it again.
func (v *traffic) restartDatabase() {
	v.t.Helper()
	stop := v.load("at the restart of the database", 8)
	for range 2 {
		v.flows(16)
		before := v.refused.Load()
		v.m.pg.server.Stop(v.t)
		patience.Until(v.t, "the server says that it cannot now", func() bool { return v.refused.Load() > before })
		v.m.pg.server.Start(v.t)
	}
	v.flows(16)
	accepted, refused := stop()
	v.t.Logf("PostgreSQL was ended twice: %d messages were accepted, %d answers said 503 and when to come again", accepted, refused)
	v.arrived("after the restart of the database", v.all().without(v.lost))
}
