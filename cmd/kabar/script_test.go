package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"kabar/internal/patience"
)

// The scripts in testdata/script run the real program as processes of their own. Besides the commands of testscript they
// have sink, ready, call, hooks, until, get, burst, order, png, free, recipe, page, held, half, texts, unpack, app, told, verified, same and
// nats: below, in script_serve_test.go, script_customer_test.go, script_app_test.go and script_nats_test.go.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"kabar": main, "deploy-shim": deployShim})
}

func TestScripts(t *testing.T) {
	dir, files := "testdata/script", []string(nil)
	if testing.Short() { // for the race detector: those in which most happens at once. The others are about commands, and do so again
		for _, name := range []string{"talk", "three", "kill", "message", "media", "webhook", "template", "credit", "window", "backup"} {
			files = append(files, filepath.Join(dir, name+".txtar"))
		}
		dir = ""
	}
	testscript.Run(t, testscript.Params{
		Dir: dir, Files: files,
		Setup: func(env *testscript.Env) error {
			env.Setenv("FAR_DAY", strings.ToLower(time.Now().UTC().AddDate(0, 0, 3).Weekday().String()))
			env.Values[sinkKey{}], env.Values[appsKey{}] = &sink{}, map[string]*app{}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"sink": cmdSink, "ready": cmdReady, "call": cmdCall, "hooks": cmdHooks, "until": cmdUntil, "get": cmdGet, "burst": cmdBurst,
			"order": cmdOrder, "png": cmdPNG, "free": cmdFree, "recipe": cmdRecipe, "page": cmdPage,
			"held": cmdHeld, "half": cmdHalf, "texts": cmdTexts, "unpack": cmdUnpack,
			"app": cmdApp, "told": cmdTold, "verified": cmdVerified, "same": cmdSame, "nats": cmdNATS,
		},
	})
}

type sinkKey struct{}

// sink is an application that takes webhooks and remembers them.
type sink struct {
	mu      sync.Mutex
	bodies  []string
	refused []string // while it was down; GET shows them
	status  int
	server  *httptest.Server // the last that was started
}

func (s *sink) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.Method == http.MethodGet {
		_, _ = io.WriteString(w, strings.Join(s.refused, "\n"))
		return
	}
	if err != nil || s.status != 0 {
		s.refused = append(s.refused, string(body))
		w.WriteHeader(s.status)
		return
	}
	s.bodies = append(s.bodies, r.Header.Get("webhook-id")+" "+string(body))
}

func (s *sink) all() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.bodies, "\n") + "\n"
}

func theSink(ts *testscript.TestScript) *sink { return ts.Value(sinkKey{}).(*sink) }

// cmdSink starts the application and puts its URL into HOOK; "sink down" has it answer 500, "sink up" 200 again. "sink tls FILE"
// moves it to an address with a certificate that nobody trusts, and writes its authority to the file.
func cmdSink(ts *testscript.TestScript, _ bool, args []string) {
	s := theSink(ts)
	if len(args) == 2 {
		moveToTLS(ts, s, args[1])
		return
	}
	if len(args) == 1 {
		s.mu.Lock()
		s.status = map[string]int{"down": http.StatusInternalServerError, "up": 0}[args[0]]
		s.mu.Unlock()
		return
	}
	s.server = httptest.NewServer(s)
	ts.Defer(s.server.Close)
	ts.Setenv("HOOK", s.server.URL+"/hook")
}

// cmdReady waits for ready.json, puts what it says into API, PHONE, CONSOLE, NUMBER, TOKEN, PASSWORD, KEY, CLOUD (the token
// of the Cloud API), BUSINESS, PHONE_ID, ANA, BUDI and CITRA, and removes it for the next start.
func cmdReady(ts *testscript.TestScript, _ bool, _ []string) {
	file := ts.MkAbs("ready.json")
	var text []byte
	for deadline := time.Now().Add(patience.Limit); ; time.Sleep(10 * time.Millisecond) {
		var err error
		if text, err = os.ReadFile(file); err == nil {
			break
		}
		if time.Now().After(deadline) {
			ts.Fatalf("not ready in time")
		}
	}
	ts.Check(os.Remove(file))
	var r ready
	ts.Check(json.Unmarshal(text, &r))
	for name, value := range map[string]string{"API": r.API, "PHONE": r.Phone, "RELAY": r.Relay, "CONSOLE": r.Console, "NUMBER": r.Number,
		"TOKEN": r.OnPrem.Token, "PASSWORD": r.OnPrem.Password, "KEY": r.Kabar.APIKey, "CLOUD": r.Cloud.Token, "PHONE_ID": r.Cloud.Number,
		"BUSINESS": r.Cloud.Business, "ANA": r.Customers[0].WaID,
		"BUDI": r.Customers[1].WaID, "CITRA": r.Customers[2].WaID, "MEDIA_DIR": r.MediaDir} {
		if value == "" {
			ts.Fatalf("ready.json has no %s", name)
		}
		ts.Setenv(name, value)
	}
}

// cmdCall makes a request: call [-h 'Name: value'] METHOD URL [BODY | @FILE]. It prints the status and the body. A URL under
// API gets the token. HTTPS trusts the certificate in the file that CA names.
func cmdCall(ts *testscript.TestScript, neg bool, args []string) {
	out, err := call(ts, args)
	if err != nil && !neg {
		ts.Fatalf("%v", err)
	}
	_, err = io.WriteString(ts.Stdout(), out)
	ts.Check(err)
}

func call(ts *testscript.TestScript, args []string) (string, error) {
	header := http.Header{}
	for len(args) > 1 && args[0] == "-h" {
		name, value, _ := strings.Cut(args[1], ": ")
		header.Set(name, value)
		args = args[2:]
	}
	if len(args) < 2 {
		ts.Fatalf("usage: call [-h header] METHOD URL [BODY]")
	}
	var body io.Reader = http.NoBody
	if len(args) > 2 {
		text := args[2]
		if file, ok := strings.CutPrefix(text, "@"); ok {
			text = ts.ReadFile(file)
		}
		body = strings.NewReader(text)
	}
	req, err := http.NewRequest(args[0], args[1], body)
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", "application/json")
	if strings.HasPrefix(args[1], ts.Getenv("API")+"/v1/") {
		req.Header.Set("Authorization", "Bearer "+ts.Getenv("TOKEN"))
	}
	for name := range header {
		req.Header.Set(name, header.Get(name))
	}
	res, err := client(ts).Do(req)
	if err != nil {
		return "", err
	}
	defer func() { _ = res.Body.Close() }()
	var b bytes.Buffer
	fmt.Fprintf(&b, "%d\n", res.StatusCode)
	for _, name := range []string{"Content-Type", "Idempotent-Replayed"} {
		if v := res.Header.Get(name); v != "" {
			fmt.Fprintf(&b, "%s: %s\n", name, v)
		}
	}
	_, err = b.ReadFrom(res.Body)
	b.WriteByte('\n')
	return b.String(), err
}

// cmdHooks prints the webhooks that have been taken, one a line behind its webhook-id.
func cmdHooks(ts *testscript.TestScript, _ bool, _ []string) {
	_, err := io.WriteString(ts.Stdout(), theSink(ts).all())
	ts.Check(err)
}

// cmdUntil repeats "hooks", "told NAME" or a call until its output matches: until REGEXP hooks, until REGEXP call GET URL. It gives up
// after patience.Limit. Negated, it watches for a second that the output never matches.
func cmdUntil(ts *testscript.TestScript, neg bool, args []string) {
	re, err := regexp.Compile("(?s)" + args[0])
	ts.Check(err)
	limit := patience.Limit
	if neg {
		limit = time.Second
	}
	var out string
	for deadline := time.Now().Add(limit); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		switch args[1] {
		case "hooks":
			out = theSink(ts).all()
		case "told":
			out = theApp(ts, args[2]).String()
		default:
			if out, err = call(ts, args[2:]); err != nil {
				out = err.Error()
			}
		}
		if !re.MatchString(out) {
			continue
		}
		if neg {
			ts.Fatalf("%q was matched by:\n%s", args[0], out)
		}
		_, err = io.WriteString(ts.Stdout(), out)
		ts.Check(err)
		return
	}
	if !neg {
		ts.Fatalf("%q was not matched in %s by:\n%s", args[0], limit, out)
	}
}

// cmdGet puts the first group of a match in the last output into a variable: get NAME REGEXP.
func cmdGet(ts *testscript.TestScript, _ bool, args []string) {
	m := regexp.MustCompile(args[1]).FindStringSubmatch(ts.ReadFile("stdout"))
	if len(m) < 2 {
		ts.Fatalf("%q does not match", args[1])
	}
	ts.Setenv(args[0], m[1])
}

// cmdBurst sends n texts to a customer, "burst 1" to "burst n", one after another, and kills the server within the second half
// of them: burst FILE TO N DATA. How many were answered 201 goes into FILE.
func cmdBurst(ts *testscript.TestScript, _ bool, args []string) {
	n, err := strconv.Atoi(args[2])
	ts.Check(err)
	acknowledged, killed := 0, make(chan struct{})
	for i := range n {
		switch i {
		case n / 2:
			lock := ts.ReadFile(args[3] + "/server/kabar.db.lock")
			go func() {
				defer close(killed)
				kill(lock)
			}()
		case n - 1:
			<-killed // by now, however late the other goroutine was
			patience.Comes(func() bool { _, err := call(ts, []string{"GET", ts.Getenv("API") + "/livez"}); return err != nil })
		}
		out, err := call(ts, []string{"POST", ts.Getenv("API") + "/v1/messages", fmt.Sprintf(`{"to":%q,"type":"text","text":{"body":"burst %d"}}`, args[1], i+1)})
		if err != nil || !strings.HasPrefix(out, "201") {
			break
		}
		acknowledged++
	}
	if acknowledged == n {
		ts.Fatalf("the server outlived all %d texts", n)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(strconv.Itoa(acknowledged)), 0o600))
}

// kill ends the process that owns a store, by the id its lock names.
func kill(lock string) {
	var pid int
	if _, err := fmt.Sscanf(lock, "process %d", &pid); err != nil {
		return // the burst then reports that the server outlived it
	}
	if p, err := os.FindProcess(pid); err == nil {
		_ = p.Kill() // likewise
	}
}

// cmdPNG writes a small picture: png FILE.
func cmdPNG(ts *testscript.TestScript, _ bool, args []string) {
	side := 8
	if len(args) > 1 {
		var err error
		side, err = strconv.Atoi(args[1])
		ts.Check(err)
	}
	var b bytes.Buffer
	ts.Check(png.Encode(&b, image.NewGray(image.Rect(0, 0, side, side))))
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), b.Bytes(), 0o600))
}

// cmdOrder waits until a customer has every acknowledged text of a burst, and checks that each is there once and in order:
// order FILE CUSTOMER.
func cmdOrder(ts *testscript.TestScript, _ bool, args []string) {
	acknowledged, err := strconv.Atoi(ts.ReadFile(args[0]))
	ts.Check(err)
	if acknowledged == 0 {
		ts.Fatalf("nothing was acknowledged: the script proves nothing")
	}
	var got []int
	for deadline := time.Now().Add(patience.Limit); len(got) < acknowledged && time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		got = bursts(ts, args[1])
	}
	if len(got) < acknowledged {
		ts.Fatalf("%d texts were acknowledged, %d arrived", acknowledged, len(got))
	}
	for i, n := range got {
		if n != i+1 {
			ts.Fatalf("text %d arrived in place of %d: %v", n, i+1, got)
		}
	}
	fmt.Fprintf(ts.Stdout(), "%d acknowledged, %d arrived, each once and in order\n", acknowledged, len(got))
}

func bursts(ts *testscript.TestScript, customer string) (got []int) {
	out, err := call(ts, []string{"GET", ts.Getenv("PHONE") + "/api/customers/" + customer + "/messages?limit=100000"})
	if err != nil {
		return nil
	}
	_, body, _ := strings.Cut(out, "\n{")
	var list struct {
		Messages []struct{ Text struct{ Body string } }
	}
	ts.Check(json.Unmarshal([]byte("{"+body), &list))
	for _, m := range list.Messages {
		if n, ok := strings.CutPrefix(m.Text.Body, "burst "); ok {
			i, err := strconv.Atoi(n)
			ts.Check(err)
			got = append(got, i)
		}
	}
	return got
}
