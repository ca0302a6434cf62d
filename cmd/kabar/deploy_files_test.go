package main

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

// understood checks that this program takes a command line. Files of an installed machine are those of the repository.
func understood(t *testing.T, where string, args []string) {
	t.Helper()
	args = slices.Clone(args)
	for i, a := range args {
		a = strings.ReplaceAll(a, "${RELAY:?the relay's address}", "wss://relay.example")
		a = regexp.MustCompile(`\$\{(\w+):\?[^}]*\}`).ReplaceAllString(a, "628111000200")
		args[i] = strings.ReplaceAll(a, "/etc/kabar/", "../../deploy/config/")
	}
	conf, _, err := parse(args, nil, streams{io.Discard, io.Discard})
	if err == nil && args[0] == "serve" {
		err = conf.cli.Serve.checkRelay(conf.cli.Serve.Relay)
	}
	if err == nil && args[0] == "phone" {
		err = conf.cli.Phone.checkRelay(conf.cli.Phone.Relay)
	}
	if err != nil {
		t.Errorf("%s: kabar %s: %v", where, strings.Join(args, " "), err)
	}
}

func repositoryFiles(t *testing.T, pattern string) []string {
	t.Helper()
	files, err := filepath.Glob("../../deploy/" + pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: %d files, %v", pattern, len(files), err)
	}
	return files
}

func readRepository(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Every command line of a unit is one that this program takes, and a running server may write where backups go.
func TestUnitsCallThisProgram(t *testing.T) {
	calls := 0
	for _, file := range repositoryFiles(t, "systemd/*.service") {
		u, err := readUnit(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range u["Service.ExecStart"] {
			words := unitWords(line)
			if words[0] == "/bin/sh" {
				words = unitWords(strings.TrimPrefix(words[2], "exec "))
			}
			if words[0] != "/usr/bin/kabar" {
				t.Errorf("%s starts %s", file, words[0])
			}
			understood(t, file, words[1:])
			calls++
		}
	}
	if calls < 4 {
		t.Errorf("only %d command lines were found", calls)
	}
	server, err := readUnit("../../deploy/systemd/kabar.service")
	if err != nil {
		t.Fatal(err)
	}
	backup := readRepository(t, "../../deploy/systemd/kabar-backup.service")
	for _, dir := range []string{"kabar/server", "kabar/backup"} {
		if !slices.Contains(strings.Fields(server.one("Service.StateDirectory")), dir) || !strings.Contains(backup, "/var/lib/"+dir) {
			t.Errorf("the backup's unit and the server's do not agree on /var/lib/%s", dir)
		}
	}
}

// systemd itself has nothing to complain of.
func TestUnitsAreVerified(t *testing.T) {
	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		t.Skip("THE UNITS ARE NOT VERIFIED: there is no systemd-analyze here")
	}
	dir := t.TempDir()
	program := filepath.Join(dir, "kabar")
	if err := os.WriteFile(program, nil, 0o700); err != nil {
		t.Fatal(err)
	}
	var units []string
	for _, file := range repositoryFiles(t, "systemd/kabar*.*") {
		if filepath.Ext(file) == ".sysusers" {
			continue
		}
		unit := filepath.Join(dir, filepath.Base(file))
		units = append(units, unit)
		text := strings.ReplaceAll(readRepository(t, file), "/usr/bin/kabar", program)
		if err := os.WriteFile(unit, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	out, err := exec.Command("systemd-analyze", append([]string{"verify", "--man=no"}, units...)...).CombinedOutput()
	if err != nil || len(out) > 0 {
		t.Errorf("systemd-analyze verify: %v\n%s", err, out)
	}
}

// service of a compose file, as far as it calls this program.
type composeService struct {
	Image       string   `yaml:"image"`
	Command     []string `yaml:"command"`
	Secrets     []string `yaml:"secrets"`
	Volumes     []string `yaml:"volumes"`
	Healthcheck struct {
		Test []string `yaml:"test"`
	} `yaml:"healthcheck"`
}

func TestComposeFilesCallThisProgram(t *testing.T) {
	files := repositoryFiles(t, "docker/compose*.yaml")
	for _, file := range files {
		text := readRepository(t, file)
		var c struct {
			Services map[string]composeService `yaml:"services"`
			Secrets  map[string]any            `yaml:"secrets"`
			Volumes  map[string]any            `yaml:"volumes"`
		}
		if err := yaml.UnmarshalWithOptions([]byte(text), &c, yaml.AllowDuplicateMapKey()); err != nil { // a merged key may be set anew
			t.Fatalf("%s: %v", file, err)
		}
		for name, s := range c.Services {
			where := filepath.Base(file) + ", " + name
			if s.Image == "kabar" {
				understood(t, where, s.Command)
			}
			if h := s.Healthcheck.Test; len(h) > 1 && h[1] == "/usr/bin/kabar" {
				understood(t, where, h[2:])
			}
			for _, secret := range s.Secrets {
				if c.Secrets[secret] == nil {
					t.Errorf("%s: the secret %s is not declared", where, secret)
				}
			}
			for _, v := range s.Volumes {
				if source, _, _ := strings.Cut(v, ":"); source[0] != '.' && c.Volumes[source] == nil {
					t.Errorf("%s: the volume %s is not declared", where, source)
				}
			}
		}
		for _, call := range regexp.MustCompile(`exec \w+ kabar (.+)`).FindAllStringSubmatch(text, -1) {
			understood(t, filepath.Base(file), strings.Fields(call[1]))
		}
	}
	if len(files) != 2 {
		t.Errorf("%d compose files", len(files))
	}
}

func TestDockerfileCallsThisProgram(t *testing.T) {
	text := readRepository(t, "../../deploy/docker/Dockerfile")
	calls := regexp.MustCompile(`(?m)^HEALTHCHECK .* CMD (\[.*\])$`).FindAllStringSubmatch(text, -1)
	if len(calls) != 1 {
		t.Fatalf("%d health checks", len(calls))
	}
	var words []string
	if err := yaml.Unmarshal([]byte(calls[0][1]), &words); err != nil {
		t.Fatal(err)
	}
	understood(t, "Dockerfile", words[1:])
	for _, line := range []string{"USER nonroot", "VOLUME /data", `ENTRYPOINT ["/usr/bin/kabar"]`} {
		if !strings.Contains(text, "\n"+line+"\n") {
			t.Errorf("the image has no %q", line)
		}
	}
}

// Every file that the packages name is there, and every unit, sample and script is in them.
func TestPackagesAreWhole(t *testing.T) {
	var n struct {
		Contents []struct {
			Src string `yaml:"src"`
			Dst string `yaml:"dst"`
		} `yaml:"contents"`
		Scripts map[string]string `yaml:"scripts"`
	}
	if err := yaml.Unmarshal([]byte(readRepository(t, "../../deploy/package/nfpm.yaml")), &n); err != nil {
		t.Fatal(err)
	}
	packed := map[string]string{}
	for _, c := range n.Contents {
		packed[c.Src] = c.Dst
	}
	for _, script := range n.Scripts {
		packed[script] = ""
		if out, err := exec.Command("/bin/sh", "-n", "../../"+script).CombinedOutput(); err != nil {
			t.Errorf("%s: %v %s", script, err, out)
		}
	}
	if packed["${BINARY}"] != "/usr/bin/kabar" {
		t.Errorf("the program goes to %q", packed["${BINARY}"])
	}
	for src := range packed {
		if info, err := os.Stat("../../" + src); src != "${BINARY}" && src != "" && (err != nil || !info.Mode().IsRegular()) {
			t.Errorf("%s: %v", src, err)
		}
	}
	for pattern, dir := range map[string]string{"systemd/*.service": "/usr/lib/systemd/system/", "systemd/*.timer": "/usr/lib/systemd/system/", "config/*.yaml": "/etc/kabar/"} {
		for _, file := range repositoryFiles(t, pattern) {
			if src := strings.TrimPrefix(file, "../../"); packed[src] != dir+filepath.Base(file) {
				t.Errorf("%s goes to %q", src, packed[src])
			}
		}
	}
}

// The commands that the operators' pages name in their text are this program's: an argument may be left out there, and C
// stands for the configuration.
func TestPagesNameCommandsOfThisProgram(t *testing.T) {
	commands := 0
	for _, page := range []string{"deploy.md", "operations.md"} {
		text := strings.ReplaceAll(readRepository(t, "../../docs/"+page), "\n", " ")
		for _, found := range regexp.MustCompile("`(?:sudo )?(?:-u kabar )?kabar ([^`]+)`").FindAllStringSubmatch(text, -1) {
			args := strings.Fields(strings.ReplaceAll(found[1]+" ", " C ", " --config ../../deploy/config/serve.yaml "))
			for i := range args {
				args[i] = strings.ReplaceAll(args[i], "/etc/kabar/", "../../deploy/config/")
			}
			commands++
			_, _, err := parse(args, nil, streams{io.Discard, io.Discard})
			if err != nil && !regexp.MustCompile(`^(missing flags|expected )`).MatchString(err.Error()) {
				t.Errorf("%s: kabar %s: %v", page, found[1], err)
			}
		}
	}
	if commands < 15 {
		t.Errorf("only %d commands were found", commands)
	}
}
