package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"kabar/internal/patience"
)

var (
	broadcastTo    = flag.Int("broadcast", 100, "how many recipients TestABroadcastOutlivesItsServer has")
	broadcastKills = flag.Int("broadcast-kills", 10, "how often it kills the server meanwhile")
)

// The server is killed again and again in the middle of a broadcast. In the end each recipient has exactly one message, their own, and the
// texts of the chats beside it are all there, each once and in their order.
func TestABroadcastOutlivesItsServer(t *testing.T) {
	v := newTerminated(t)
	c := &castTest{terminated: v, to: *broadcastTo}
	c.people()
	v.start()
	out := v.kabar("key", "add", "--role", "marketer", "--number", "628111000200", "--data", v.dir+"/server")
	c.bearer = http.Header{"Authorization": {"Bearer " + regexp.MustCompile(`kbr_[A-Z2-7]+`).FindString(out)}, "Content-Type": {"text/csv"}}
	v.kabar("template", "import", c.file("spring.json", `[{"name":"spring","language":"en","category":"UTILITY","components":[{"type":"BODY","text":"Hello {{1}}"}]}]`),
		"--data", v.dir+"/server")
	made, err := v.do(http.MethodPost, "http://"+v.api+"/kabar/v1/broadcasts?template=spring&language=en&map=%7B%22body.1%22:%22name%22%7D", c.table(), c.bearer)
	if err != nil {
		t.Fatal(err)
	}
	c.id = regexp.MustCompile(`"id":"(\d+)"`).FindStringSubmatch(made)[1]

	end := make(chan struct{})
	var chats sync.WaitGroup
	texts := make([]int, len(v.customers))
	for i := range v.customers {
		chats.Go(func() { texts[i] = c.chat(i, end) })
	}
	for kill := range *broadcastKills {
		c.until(func(s standing) bool { return s.Counts.Pending <= c.to-(kill+1)*c.to/(*broadcastKills+1) })
		if err := v.cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = v.cmd.Wait() // it was killed
		v.start()
	}
	c.until(func(s standing) bool { return s.State == "done" && s.Counts.Delivered+s.Counts.Read == c.to })
	close(end)
	chats.Wait()
	c.once()
	for i, n := range texts {
		c.inOrder(i, n)
	}
	v.end()
}

// castTest is a broadcast beside a server that is killed.
type castTest struct {
	*terminated
	to     int
	id     string
	bearer http.Header
}

func (c *castTest) recipient(i int) string { return fmt.Sprintf("34611%06d", i) }

// people makes the recipients.
func (c *castTest) people() {
	c.t.Helper()
	work, all := make(chan int), sync.WaitGroup{}
	for range 4 {
		all.Go(func() {
			for i := range work {
				body := fmt.Sprintf(`{"name":"Name %d","wa_id":%q}`, i, c.recipient(i))
				made := func() bool {
					_, err := c.do(http.MethodPost, "http://"+c.phone+"/api/customers", body, nil)
					return err == nil
				}
				if !patience.Comes(made) {
					c.t.Errorf("no customer %d", i)
				}
			}
		})
	}
	for i := range c.to {
		work <- i
	}
	close(work)
	all.Wait()
}

func (c *castTest) file(name, text string) string {
	c.t.Helper()
	path := filepath.Join(c.dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		c.t.Fatal(err)
	}
	return path
}

func (c *castTest) table() string {
	var b strings.Builder
	b.WriteString("to,name\n")
	for i := range c.to {
		fmt.Fprintf(&b, "%s,Name %d\n", c.recipient(i), i)
	}
	return b.String()
}

// standing is how far the broadcast is.
type standing struct {
	State, Why string
	Counts     struct {
		Pending, Accepted, Sent, Delivered, Read int
		Failed                                   map[string]int
	}
}

func (c *castTest) until(ok func(standing) bool) {
	c.t.Helper()
	var s standing
	for deadline := time.Now().Add(patience.Limit + time.Duration(c.to)*100*time.Millisecond); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		text, err := c.do(http.MethodGet, "http://"+c.api+"/kabar/v1/broadcasts/"+c.id, "", c.bearer)
		if err == nil {
			err = json.Unmarshal([]byte(text), &s)
		}
		if err == nil && ok(s) {
			return
		}
	}
	c.t.Fatalf("the broadcast gets no further: %+v\n%s", s, c.log.String())
}

// chat writes to a customer, one text after the other, until the end; what got no answer is asked for again. It returns how many there are.
func (c *castTest) chat(i int, end <-chan struct{}) int {
	for n := 0; ; n++ {
		body := fmt.Sprintf("chat %d", n)
		sent := patience.Comes(func() bool {
			_, err := c.do(http.MethodPost, "http://"+c.api+"/v1/messages", fmt.Sprintf(`{"to":%q,"type":"text","text":{"body":%q}}`, c.customers[i], body),
				http.Header{"Authorization": {"Bearer " + c.key}, "Idempotency-Key": {fmt.Sprint(i, "-", n)}})
			return err == nil || errors.Is(err, errReplayed)
		})
		if !sent {
			c.t.Errorf("%s to %s was never accepted", body, c.customers[i])
			return n
		}
		select {
		case <-end:
			return n + 1
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// shown returns the texts of what a customer's phone got from the business, oldest first, however they were sent.
func (c *castTest) shown(customer string) (all []string) {
	c.t.Helper()
	text, err := c.do(http.MethodGet, "http://"+c.phone+"/api/customers/"+customer+"/messages?limit=100000", "", nil)
	if err != nil {
		c.t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`"body":"((?:chat|Hello)[^"]*)"`).FindAllStringSubmatch(text, -1) {
		all = append(all, m[1])
	}
	return all
}

// once wants each recipient to have one message.
func (c *castTest) once() {
	c.t.Helper()
	for i := range c.to {
		if got := c.shown(c.recipient(i)); len(got) != 1 || got[0] != fmt.Sprintf("Hello Name %d", i) {
			c.t.Errorf("recipient %d got %q", i, got)
		}
	}
}

// inOrder wants a customer to have n texts of the chat, each once and in order.
func (c *castTest) inOrder(i, n int) {
	c.t.Helper()
	var got []string
	patience.Until(c.t, "the whole chat", func() bool { got = c.shown(c.customers[i]); return len(got) >= n })
	if len(got) != n {
		c.t.Errorf("%s has %d texts, %d were accepted", c.customers[i], len(got), n)
	}
	for k, text := range got {
		if text != fmt.Sprintf("chat %d", k) {
			c.t.Errorf("%s has %q in the place of text %d", c.customers[i], text, k)
			return
		}
	}
}
