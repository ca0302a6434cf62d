package main

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"kabar/internal/signature"
)

// app is an application that answers as it is told, and remembers with which headers it was told what. A script may have many.
type app struct {
	mu     sync.Mutex
	status int
	header http.Header // of answers
	left   int         // requests that are still answered with 200, before status holds
	asked  []asked
}

// asked is a request, and how it was answered.
type asked struct {
	header http.Header
	body   string
	status int
}

func (a *app) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet { // the challenge of the Cloud API
		_, _ = io.WriteString(w, r.URL.Query().Get("hub.challenge"))
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	status := a.status
	if a.left > 0 {
		a.left, status = a.left-1, http.StatusOK
	}
	a.asked = append(a.asked, asked{r.Header, string(body), status})
	maps.Copy(w.Header(), a.header)
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, "answer %d", status)
}

// taken are the requests that were answered with a success.
func (a *app) taken() []asked {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(a.asked), func(r asked) bool { return r.status/100 != 2 })
}

// String has a line for each request: how it was answered, its id, what kabar's headers say, and the body.
func (a *app) String() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	var b strings.Builder
	for _, r := range a.asked {
		fmt.Fprintf(&b, "%d %s", r.status, r.header.Get("Webhook-Id"))
		for _, name := range []string{"Kabar-Replay", "Kabar-Test", "X-Hub-Signature-256", "X-Own"} {
			if v := r.header.Get(name); v != "" {
				fmt.Fprintf(&b, " %s=%s", strings.ToLower(name), v)
			}
		}
		fmt.Fprintf(&b, " %s\n", r.body)
	}
	return b.String()
}

type appsKey struct{}

// theApp returns the application of a name.
func theApp(ts *testscript.TestScript, name string) *app {
	a := ts.Value(appsKey{}).(map[string]*app)[name]
	if a == nil {
		ts.Fatalf("there is no app %s", name)
	}
	return a
}

// cmdApp starts an application and puts its URL into the variable: app NAME. "app NAME STATUS [HEADER: VALUE]" is how it answers from
// then on, with "after N" behind it once it has taken N more; "app NAME forget" has it forget what it was asked.
func cmdApp(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) == 1 {
		a := &app{status: http.StatusOK}
		ts.Value(appsKey{}).(map[string]*app)[args[0]] = a
		server := httptest.NewServer(a)
		ts.Defer(server.Close)
		ts.Setenv(args[0], server.URL+"/hook")
		return
	}
	a := theApp(ts, args[0])
	a.mu.Lock()
	defer a.mu.Unlock()
	if args[1] == "forget" {
		a.asked = nil
		return
	}
	status, err := strconv.Atoi(args[1])
	ts.Check(err)
	a.status, a.header, a.left = status, http.Header{}, 0
	args = args[2:]
	if len(args) == 2 && args[0] == "after" {
		a.left, err = strconv.Atoi(args[1])
		ts.Check(err)
		args = nil
	}
	for _, h := range args {
		name, value, _ := strings.Cut(h, ": ")
		a.header.Set(name, value)
	}
}

// cmdTold prints what an application was asked, a line each: told NAME.
func cmdTold(ts *testscript.TestScript, _ bool, args []string) {
	_, err := io.WriteString(ts.Stdout(), theApp(ts, args[0]).String())
	ts.Check(err)
}

// cmdVerified checks that each request that an application has taken can be verified by a secret: verified NAME SECRET. Negated: that
// none can.
func cmdVerified(ts *testscript.TestScript, neg bool, args []string) {
	all := theApp(ts, args[0]).taken()
	if len(all) == 0 {
		ts.Fatalf("%s has taken nothing: nothing is proved", args[0])
	}
	for _, r := range all {
		if err := signature.Verify([]string{args[1]}, r.header, []byte(r.body), time.Now()); (err != nil) != neg {
			ts.Fatalf("%s: %v", r.header.Get("Webhook-Id"), err)
		}
	}
}

// cmdSame checks that what an application was told again (kabar-replay) has the ids and the bytes of the first time, and is N different
// requests: same NAME N.
func cmdSame(ts *testscript.TestScript, _ bool, args []string) {
	first, again := map[string]string{}, map[string]bool{}
	for _, r := range theApp(ts, args[0]).taken() {
		id := r.header.Get("Webhook-Id")
		if r.header.Get("Kabar-Replay") != "true" {
			first[id] = r.body
			continue
		}
		again[id] = true
		if body, known := first[id]; !known || body != r.body {
			ts.Fatalf("%s was told again as %s, before as %q", id, r.body, body)
		}
	}
	if want, err := strconv.Atoi(args[1]); err != nil || len(again) != want {
		ts.Fatalf("%d were told again, not %s", len(again), args[1])
	}
}
