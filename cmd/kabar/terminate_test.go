package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptrace"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"kabar/internal/patience"
)

var terminations = flag.Int("terminations", 3, "how often TestTerminate ends a server under load")

// A server that is told to end answers what it has accepted, within its time: no client sees a request fail that was
// stored, an upload that is half way gets its end, and after the last start every acknowledged message has arrived once.
func TestTerminate(t *testing.T) {
	v := newTerminated(t)
	var slowest time.Duration
	for round := range *terminations {
		v.start()
		v.again()
		var load sync.WaitGroup
		for client := range 8 {
			load.Go(func() { v.client(fmt.Sprintf("%d-%d", client, round)) })
		}
		begun := make(chan struct{})
		load.Go(func() { v.upload(begun) })
		patience.Next(t, "an upload that has begun", begun)
		time.Sleep(100*time.Millisecond + rand.N(300*time.Millisecond))
		slowest = max(slowest, v.end())
		load.Wait()
	}
	v.start()
	v.again()
	v.arrived()
	v.end()
	t.Logf("%d ends under load, %d messages acknowledged, the slowest end took %s", *terminations, len(v.acknowledged), slowest)
}

// terminated is a server in a process of its own that is ended and started again, with a relay and a customer beside it.
type terminated struct {
	t                 *testing.T
	dir               string
	api, phone, relay string // addresses
	customers         []string
	key               string
	http              *http.Client
	cmd               *exec.Cmd
	log               bytes.Buffer

	mu           sync.Mutex
	acknowledged []string // bodies
	open         []unanswered
}

// unanswered is a message to which no answer came, and what came instead.
type unanswered struct {
	body string
	err  error
}

func newTerminated(t *testing.T) *terminated {
	t.Helper()
	v := &terminated{t: t, dir: t.TempDir(), customers: []string{"34600111222", "34600111223", "34600111224", "34600111225"}, http: &http.Client{Timeout: 60 * time.Second},
		api: freeAddress(t), phone: freeAddress(t), relay: freeAddress(t)}
	v.background("relay", "--data", v.dir+"/relay", "--addr", v.relay, "--open-registration")
	v.kabar("key", "master", v.dir+"/master.key")
	v.start("--number", "628111000200")
	v.kabar("number", "limits", "--throughput", "off", "--tier", "off", "--data", v.dir+"/server") // there will be more than 80 a second
	out := v.kabar("key", "add", "--label", "test", "--data", v.dir+"/server")
	if v.key = regexp.MustCompile(`kbr_[A-Z2-7]+`).FindString(out); v.key == "" {
		t.Fatalf("no key in %s", out)
	}
	v.background("phone", "--data", v.dir+"/phone", "--addr", v.phone, "--relay", "ws://"+v.relay, "--business", "628111000200")
	for _, customer := range v.customers {
		v.open24(customer)
	}
	v.end()
	return v
}

// open24 makes a customer and has the customer write, so that texts may go back.
func (v *terminated) open24(customer string) {
	v.t.Helper()
	chat := "http://" + v.phone + "/api/customers/" + customer + "/messages"
	v.eventually("a customer", func() error {
		_, err := v.do(http.MethodPost, "http://"+v.phone+"/api/customers", `{"name":"Ana","wa_id":"`+customer+`"}`, nil)
		return err
	})
	if _, err := v.do(http.MethodPost, chat, `{"type":"text","text":{"body":"hi `+customer+`"}}`, nil); err != nil {
		v.t.Fatal(err)
	}
	v.eventually("the customer's message at the server", func() error {
		text, err := v.do(http.MethodGet, chat, "", nil)
		if err == nil && !strings.Contains(text, `"delivered"`) {
			err = fmt.Errorf("not delivered: %s", text)
		}
		return err
	})
}

func freeAddress(t *testing.T) string {
	t.Helper()
	address, err := unused()
	if err != nil {
		t.Fatal(err)
	}
	return address
}

// unused returns a loopback address that nobody listens on. Its port is below those that systems take for connections to
// others: one of those may be taken again before the program that is to listen on it has started.
func unused() (string, error) {
	var err error
	for range 100 {
		var ln net.Listener
		if ln, err = net.Listen("tcp", fmt.Sprint("127.0.0.1:", 10_000+rand.IntN(20_000))); err == nil {
			return ln.Addr().String(), ln.Close()
		}
	}
	return "", err
}

// command is this test's program as kabar.
func (v *terminated) command(args ...string) *exec.Cmd {
	self, err := os.Executable()
	if err != nil {
		v.t.Fatal(err)
	}
	link := filepath.Join(v.dir, "kabar")
	if err := os.Symlink(self, link); err != nil && !os.IsExist(err) {
		v.t.Fatal(err)
	}
	cmd := exec.Command(link, args...)
	cmd.Dir = v.dir
	return cmd
}

func (v *terminated) kabar(args ...string) string {
	v.t.Helper()
	out, err := v.command(args...).CombinedOutput()
	if err != nil {
		v.t.Fatalf("kabar %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// background runs a program until the test ends.
func (v *terminated) background(args ...string) {
	v.t.Helper()
	cmd := v.command(args...)
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		v.t.Fatal(err)
	}
	v.t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		if err := cmd.Wait(); err != nil {
			v.t.Errorf("kabar %s: %v\n%s", args[0], err, log.String())
		}
	})
}

// start starts the server and waits until it is ready.
func (v *terminated) start(more ...string) {
	v.t.Helper()
	v.log.Reset()
	v.cmd = v.command(append([]string{"serve", "--data", v.dir + "/server", "--master-key-file", v.dir + "/master.key",
		"--relay", "ws://" + v.relay, "--addr", v.api}, more...)...)
	v.cmd.Stdout, v.cmd.Stderr = &v.log, &v.log
	if err := v.cmd.Start(); err != nil {
		v.t.Fatal(err)
	}
	v.eventually("a ready server", func() error {
		_, err := v.do(http.MethodGet, "http://"+v.api+"/readyz", "", nil)
		return err
	})
}

// end tells the server to end, and returns how long that took.
func (v *terminated) end() time.Duration {
	v.t.Helper()
	began := time.Now()
	if err := v.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		v.t.Fatal(err)
	}
	if err := v.cmd.Wait(); err != nil {
		v.t.Fatalf("the server ended with %v\n%s", err, v.log.String())
	}
	took := time.Since(began)
	if took > 30*time.Second {
		v.t.Errorf("the end took %s", took)
	}
	return took
}

func (v *terminated) eventually(what string, ok func() error) {
	v.t.Helper()
	for deadline := time.Now().Add(patience.Limit); ; time.Sleep(10 * time.Millisecond) {
		err := ok()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			v.t.Fatalf("no %s: %v\n%s", what, err, v.log.String())
		}
	}
}

// do makes a request and returns the body of a 2xx.
func (v *terminated) do(method, url, body string, header http.Header) (string, error) {
	req, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		return "", err
	}
	for name := range header {
		req.Header.Set(name, header.Get(name))
	}
	res, err := v.http.Do(req)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode/100 != 2 {
		err = fmt.Errorf("%s %s: %s %s", method, url, res.Status, text)
	}
	if err == nil && res.Header.Get("Idempotent-Replayed") != "" {
		err = errReplayed
	}
	return string(text), err
}

var errReplayed = fmt.Errorf("the answer had been stored: it was lost on its way")

func (v *terminated) send(body string) error {
	to := v.customers[int(body[0])%len(v.customers)]
	_, err := v.do(http.MethodPost, "http://"+v.api+"/v1/messages", `{"to":"`+to+`","type":"text","text":{"body":"`+body+`"}}`,
		http.Header{"Authorization": {"Bearer " + v.key}, "Idempotency-Key": {body}})
	return err
}

// client sends one message after the other until the server has gone.
func (v *terminated) client(name string) {
	for i := 0; ; i++ {
		body := fmt.Sprintf("%s-%d", name, i)
		err := v.send(body)
		v.mu.Lock()
		switch {
		case err == nil:
			v.acknowledged = append(v.acknowledged, body)
		case isGone(err):
			v.open = append(v.open, unanswered{body, err})
		default:
			v.t.Errorf("%s: %v", body, err)
		}
		v.mu.Unlock()
		if err != nil {
			return
		}
		time.Sleep(thinking)
	}
}

// thinking is the pause of a client between two messages: what is acknowledged in a server's short life must be sent in it, too.
const thinking = 10 * time.Millisecond

// isGone reports whether no answer came since nobody listens any more.
func isGone(err error) bool {
	text := err.Error()
	return strings.Contains(text, "connection refused") || strings.Contains(text, "EOF") || strings.Contains(text, "connection reset") ||
		strings.Contains(text, "broken pipe") || strings.Contains(text, "server closed idle connection")
}

// upload takes longer than the server has left. It has begun when the server asks for the body.
func (v *terminated) upload(begun chan struct{}) {
	pr, pw := io.Pipe()
	go func() {
		<-begun
		for range 20 {
			_, _ = pw.Write(bytes.Repeat([]byte("slow "), 1000))
			time.Sleep(50 * time.Millisecond)
		}
		_ = pw.Close()
	}()
	trace := &httptrace.ClientTrace{Got100Continue: func() { close(begun) }}
	req, err := http.NewRequestWithContext(httptrace.WithClientTrace(context.Background(), trace), http.MethodPost, "http://"+v.api+"/v1/media", pr)
	if err != nil {
		v.t.Error(err)
		return
	}
	req.Header.Set("Authorization", "Bearer "+v.key)
	req.Header.Set("Content-Type", "text/plain")
	req.Header.Set("Expect", "100-continue")
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, ExpectContinueTimeout: patience.Limit}}
	res, err := client.Do(req)
	if err != nil {
		v.t.Errorf("an upload that had begun: %v", err)
		return
	}
	defer res.Body.Close()
	if text, err := io.ReadAll(res.Body); err != nil || res.StatusCode/100 != 2 {
		v.t.Errorf("an upload that had begun: %s %s, %v", res.Status, text, err)
	}
}

// again repeats what got no answer. An answer that was stored then means that a request was accepted and failed.
func (v *terminated) again() {
	for _, u := range v.open {
		if err := v.send(u.body); err != nil {
			v.t.Errorf("%s: %v; before the end: %v", u.body, err, u.err)
		}
		v.acknowledged = append(v.acknowledged, u.body)
	}
	v.open = nil
}

// arrived waits until the customer has every acknowledged message, and checks that none came twice.
func (v *terminated) arrived() {
	v.t.Helper()
	times := map[string]int{}
	for _, customer := range v.customers {
		v.eventually("complete chat", func() error { return v.complete(customer, times) })
	}
	for body, n := range times {
		if n > 1 {
			v.t.Errorf("%q has arrived %d times", body, n)
		}
	}
}

// complete counts what a customer has, and says what is still missing.
func (v *terminated) complete(customer string, times map[string]int) error {
	text, err := v.do(http.MethodGet, "http://"+v.phone+"/api/customers/"+customer+"/messages?limit=100000", "", nil)
	if err != nil {
		return err
	}
	var chat struct {
		Messages []struct {
			Text struct{ Body string }
		}
	}
	if err := json.Unmarshal([]byte(text), &chat); err != nil {
		return err
	}
	here := map[string]int{}
	for _, m := range chat.Messages {
		here[m.Text.Body]++
	}
	for _, body := range v.acknowledged {
		if v.customers[int(body[0])%len(v.customers)] == customer && here[body] == 0 {
			return fmt.Errorf("%s was acknowledged and has not arrived", body)
		}
	}
	maps.Copy(times, here)
	return nil
}
