package main

import (
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

// kindValues returns three values, as they are written, that a flag takes and that differ from its default. Flags with two values
// have the other one in the middle.
func kindValues(f *kong.Flag) [3]string {
	switch {
	case f.Name == "master-key-kms":
		return [3]string{"age:/1", "age:/2", "age:/3"}
	case f.Name == "master-key-env":
		return [3]string{"A", "B", "C"}
	case f.Enum != "":
		allowed := slices.DeleteFunc(f.EnumSlice(), func(v string) bool { return v == f.Default })
		return [3]string{allowed[0], f.Default, allowed[len(allowed)-1]}
	case f.IsBool():
		return [3]string{"true", "false", "true"}
	case f.Target.Type() == reflect.TypeFor[duration]():
		return [3]string{"61m", "1h2m", "3d"}
	case f.Target.Type() == reflect.TypeFor[size]():
		return [3]string{"1MiB", "2MB", "3GB"}
	case f.Target.CanInt() || f.Target.CanFloat():
		return [3]string{"11", "12", "13"}
	}
	return [3]string{"/a", "/b", "/c"}
}

// valueOf parses a command line and returns what a flag is then.
func valueOf(t *testing.T, program, key string, args, environ []string) any {
	t.Helper()
	args = append([]string{program, "--allow-inline-secrets"}, args...)
	for _, more := range [][2]string{{"data", "d"}, {"relay", "ws://r"}} {
		if key != more[0] && (program != "relay" || more[0] == "data") {
			args = append(args, "--"+more[0], more[1])
		}
	}
	conf, _, err := parse(args, environ, streams{io.Discard, io.Discard})
	if err != nil {
		t.Fatalf("%s %v: %v", args, environ, err)
	}
	for _, f := range conf.k.Flags() {
		if f.Name == key {
			return conf.k.FlagValue(f)
		}
	}
	t.Fatalf("kabar %s has no flag --%s", program, key)
	return nil
}

// For every key: the command line comes before the environment, the environment before the file, the file before the default.
func TestTheOrderOfPlaces(t *testing.T) {
	for _, program := range programs {
		for key, f := range programFlags(t, program) {
			if key == "allow-inline-secrets" || key == "backup-dir" { // the first one is needed here; the other is of another command
				continue
			}
			t.Run(program+" "+key, func(t *testing.T) {
				t.Parallel()
				checkOrder(t, program, f)
			})
		}
	}
}

// checkOrder gives a key a value in one place after the other, each nearer than the last.
func checkOrder(t *testing.T, program string, f *kong.Flag) {
	t.Helper()
	key, values := f.Name, kindValues(f)
	file := []string{"--config", textFile(t, "kabar.yaml", key+": "+values[0]+"\n")}
	environ := []string{variable(f) + "=" + values[1]}
	flag := "--" + key + "=" + values[2]
	expect := func(place string, got any, written string) {
		t.Helper()
		if want := valueOf(t, program, key, []string{"--" + key + "=" + written}, nil); !reflect.DeepEqual(got, want) {
			t.Errorf("%v, want %v of the %s", got, want, place)
		}
	}
	inFile, inEnvironment := valueOf(t, program, key, file, nil), valueOf(t, program, key, file, environ)
	expect("file", inFile, values[0])
	expect("environment", inEnvironment, values[1])
	expect("command line", valueOf(t, program, key, append(file, flag), environ), values[2])
	expect("command line, first", valueOf(t, program, key, append([]string{flag}, file...), environ), values[2])
	if want, ok := defaultOf(f); ok && key != "acme-directory" {
		expect("default", valueOf(t, program, key, nil, nil), want)
	}
	if reflect.DeepEqual(inFile, inEnvironment) {
		t.Errorf("two values are the same, %v, so nothing was shown", inFile)
	}
}

// Lists replace each other as a whole, wherever they come from.
func TestTheOrderOfLists(t *testing.T) {
	file := []string{"--config", textFile(t, "kabar.yaml", "host: [a.example, \"b,c.example\"]\n")}
	for _, c := range []struct {
		environ []string
		args    []string
		want    []string
	}{
		{nil, file, []string{"a.example", "b,c.example"}},
		{[]string{"KABAR_HOST=d.example,e.example"}, file, []string{"d.example", "e.example"}},
		{[]string{"KABAR_HOST=d.example", "KABAR_HOST=f.example"}, file, []string{"f.example"}},
		{[]string{"KABAR_HOST=d.example"}, append(file, "--host", "g.example", "--host=h.example"), []string{"g.example", "h.example"}},
		{nil, append(file, "--host", "g.example,h.example"), []string{"g.example", "h.example"}},
		{nil, []string{"--config", textFile(t, "kabar.yaml", "host: []\n")}, nil},
		{nil, nil, nil},
	} {
		got, _ := valueOf(t, "serve", "host", c.args, c.environ).([]string)
		if !slices.Equal(got, c.want) {
			t.Errorf("%v %v: %q, want %q", c.environ, c.args, got, c.want)
		}
	}
}

// The variables are called as --help says, and --help names every key.
func TestVariablesInTheHelp(t *testing.T) {
	for program, args := range map[string][]string{"serve": {"serve"}, "relay": {"relay", "run"}, "phone": {"phone"}} {
		var out output
		if status := run(t.Context(), append(args, "--help"), nil, streams{&out, io.Discard}); status != 0 {
			t.Fatalf("kabar %s --help: status %d", program, status)
		}
		text := strings.Join(strings.Fields(out.String()), " ")
		for key, f := range programFlags(t, program) {
			want := "KABAR_" + strings.ToUpper(strings.ReplaceAll(key, "-", "_"))
			if variable(f) != want {
				t.Errorf("the variable of %s is %s", key, variable(f))
			}
			if key != "backup-dir" && !strings.Contains(text, "($"+want+")") {
				t.Errorf("kabar %s --help does not name $%s", program, want)
			}
		}
	}
}

// A bool that the file has set is taken back by its value, and there is no other spelling for that.
func TestTakingABoolBack(t *testing.T) {
	file := []string{"--config", textFile(t, "kabar.yaml", "allow-plain-http: true\n")}
	if got := valueOf(t, "serve", "allow-plain-http", append(file, "--allow-plain-http=false"), nil); got != false {
		t.Errorf("--allow-plain-http=false: %v", got)
	}
	if got := valueOf(t, "serve", "allow-plain-http", file, []string{"KABAR_ALLOW_PLAIN_HTTP=false"}); got != false {
		t.Errorf("KABAR_ALLOW_PLAIN_HTTP=false: %v", got)
	}
	_, _, err := parse(append([]string{"serve", "--data", "d", "--relay", "ws://r", "--no-allow-plain-http"}, file...), nil, streams{io.Discard, io.Discard})
	if err == nil || !strings.Contains(fmt.Sprint(err), "unknown flag --no-allow-plain-http") {
		t.Errorf("--no-allow-plain-http: %v", err)
	}
}
