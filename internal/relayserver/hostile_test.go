package relayserver_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"google.golang.org/protobuf/proto"

	"kabar/internal/patience"
	"kabar/internal/relayclient"
	"kabar/internal/relayproto"
	"kabar/internal/relayserver"
)

// raw is a device that says what it likes.
type raw struct {
	t    testing.TB
	ws   *websocket.Conn
	wire *relayproto.Conn
}

func (r *relay) raw() *raw {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience.Limit)
	defer cancel()
	ws, _, err := websocket.Dial(ctx, r.url()+relayproto.Path, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	c := &raw{t: r.t, ws: ws, wire: relayproto.NewConn(ws)}
	r.t.Cleanup(func() { c.wire.Close(0) })
	return c
}

// login makes it a device that has begun well.
func (c *raw) login(d *device) {
	c.t.Helper()
	c.confirm(c.prove(d))
}

// prove does the first half of a login and returns the counter.
func (c *raw) prove(d *device) uint64 {
	c.t.Helper()
	hello := c.read().GetHello()
	me := relayproto.Addr{Account: d.options.Account, Device: 1}
	login := &relayproto.Login{Address: me.Proto(), Signature: d.options.Sign(relayproto.LoginChallenge(hello, me))}
	c.push(&relayproto.Frame{Id: 1, Body: &relayproto.Frame_Login{Login: login}})
	return c.read().GetLoginOk().GetCounter()
}

func (c *raw) confirm(counter uint64) {
	c.t.Helper()
	c.push(&relayproto.Frame{Id: 2, Body: &relayproto.Frame_Confirm{Confirm: &relayproto.Confirm{Counter: counter}}})
	if f := c.read(); f.GetDone() == nil {
		c.t.Fatalf("login was answered with %v", f)
	}
}

func (c *raw) push(f *relayproto.Frame) {
	c.t.Helper()
	if err := c.wire.Push(f); err != nil {
		c.t.Fatal(err)
	}
}

func (c *raw) read() *relayproto.Frame {
	c.t.Helper()
	f, err := c.wire.Read()
	if err != nil {
		c.t.Fatal(err)
	}
	return f
}

// isCut reads until the relay hangs up and returns why.
func (c *raw) isCut() relayproto.Closing_Reason {
	c.t.Helper()
	watchdog := time.AfterFunc(patience.Limit, c.wire.Kill)
	defer watchdog.Stop()
	why := relayproto.Closing_REASON_UNSPECIFIED
	for {
		f, err := c.wire.Read()
		if errors.Is(err, relayproto.ErrConnClosed) {
			c.t.Fatal("the relay did not hang up")
		}
		if err != nil {
			return why
		}
		if f.GetClosing() != nil {
			why = f.GetClosing().Reason
		}
	}
}

func encode(t testing.TB, f *relayproto.Frame) []byte {
	t.Helper()
	b, err := proto.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// badMessages are what no device says: before the login, and after it.
func badMessages(t testing.TB) (stranger, device map[string][]byte) {
	somebody := &relayproto.Address{Account: "6281", Device: 1}
	send := &relayproto.Send{MsgId: make([]byte, 16), To: somebody}
	stranger = map[string][]byte{
		"garbage":       []byte("\xff\xff\xff\xff"),
		"empty":         {},
		"no body":       encode(t, &relayproto.Frame{Id: 1}),
		"send first":    encode(t, &relayproto.Frame{Id: 1, Body: &relayproto.Frame_Send{Send: send}}),
		"confirm first": encode(t, &relayproto.Frame{Id: 1, Body: &relayproto.Frame_Confirm{Confirm: &relayproto.Confirm{}}}),
		"relay's frame": encode(t, &relayproto.Frame{Id: 1, Body: &relayproto.Frame_Done{Done: &relayproto.Done{}}}),
	}
	short := &relayproto.Send{MsgId: make([]byte, 15), To: somebody}
	device = map[string][]byte{
		"garbage":       stranger["garbage"],
		"empty":         {},
		"second login":  encode(t, &relayproto.Frame{Id: 1, Body: &relayproto.Frame_Login{Login: &relayproto.Login{Address: somebody}}}),
		"short id":      encode(t, &relayproto.Frame{Id: 1, Body: &relayproto.Frame_Send{Send: short}}),
		"relay's frame": encode(t, &relayproto.Frame{Body: &relayproto.Frame_Ping{Ping: &relayproto.Ping{}}}),
		"too large":     make([]byte, relayproto.MaxFrame+1),
	}
	return stranger, device
}

func TestWhoeverBreaksTheProtocolIsCut(t *testing.T) {
	r := start(t, relayserver.NoLimits())
	d := r.device("6281")
	_ = d.dial().Close()
	stranger, device := badMessages(t)
	for name, message := range stranger {
		c := r.raw()
		_ = c.ws.Write(t.Context(), websocket.MessageBinary, message) // may fail once the relay has hung up
		if why := c.isCut(); why != relayproto.Closing_PROTOCOL {
			t.Errorf("stranger, %s: cut with %v", name, why)
		}
	}
	for name, message := range device {
		c := r.raw()
		c.login(d)
		_ = c.ws.Write(t.Context(), websocket.MessageBinary, message) // as above
		if why := c.isCut(); why != relayproto.Closing_PROTOCOL && name != "too large" {
			t.Errorf("device, %s: cut with %v", name, why)
		}
	}
	c := r.raw()
	c.login(d)
	_ = c.ws.Write(t.Context(), websocket.MessageText, []byte("hello")) // as above
	if why := c.isCut(); why != relayproto.Closing_PROTOCOL {
		t.Errorf("text: cut with %v", why)
	}
	d.dial().send(to("6281", "the relay is well"))
}

func TestAStrangerHasFewAttempts(t *testing.T) {
	r := start(t, relayserver.NoLimits())
	c := r.raw()
	c.read() // hello
	login := &relayproto.Login{Address: &relayproto.Address{Account: "6281", Device: 1}}
	answers := 0
	for range 100 {
		if c.wire.Push(&relayproto.Frame{Id: 1, Body: &relayproto.Frame_Login{Login: login}}) != nil {
			break
		}
		if _, err := c.wire.Read(); err != nil {
			break
		}
		answers++
	}
	if answers < 2 || answers > 10 {
		t.Errorf("%d attempts", answers)
	}
}

// TestTheLaterLoginWinsWhoeverConfirmsFirst: the counter decides, not the order of confirmations.
func TestTheLaterLoginWinsWhoeverConfirmsFirst(t *testing.T) {
	r := start(t, relayserver.NoLimits())
	d := r.device("6281")
	_ = d.dial().Close()
	earlier, later := r.raw(), r.raw()
	first, second := earlier.prove(d), later.prove(d)
	if second <= first {
		t.Fatalf("counters %d and %d", first, second)
	}
	later.confirm(second)
	earlier.push(&relayproto.Frame{Id: 2, Body: &relayproto.Frame_Confirm{Confirm: &relayproto.Confirm{Counter: first}}})
	if why := earlier.isCut(); why != relayproto.Closing_REPLACED {
		t.Errorf("the earlier login was cut with %v", why)
	}
	r.business("628").dial().send(to("6281", "x"))
	if f := later.read(); f.GetDeliver() == nil {
		t.Errorf("the later login got %v", f)
	}
}

func TestStrangersAreCounted(t *testing.T) {
	limits := relayserver.NoLimits()
	limits.Strangers = 3
	r := start(t, limits)
	var idle []*raw
	for range 3 {
		c := r.raw()
		c.read() // hello
		idle = append(idle, c)
	}
	if _, err := r.device("6281").try(); !errorHas(err, "503") {
		t.Fatalf("the fourth stranger: %v", err)
	}
	idle[0].wire.Close(0)
	d := r.device("6281")
	patience.Until(t, "there is room when one has gone", func() bool {
		c, err := d.try()
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	})
	for range 5 { // devices that have logged in do not count
		r.device(randomAccount()).dial()
	}
}

func TestAPageOfAnotherSiteMayNotConnect(t *testing.T) {
	r := start(t, relayserver.NoLimits())
	_, resp, err := websocket.Dial(t.Context(), r.url()+relayproto.Path, &websocket.DialOptions{
		HTTPHeader: map[string][]string{"Origin": {"https://evil.example"}},
	})
	if err == nil || resp.StatusCode != 403 {
		t.Fatalf("dial = %v", err)
	}
}

// TestADeviceThatDoesNotReadHurtsNobody: its own connection fills up, the others go on, and its mail waits.
func TestADeviceThatDoesNotReadHurtsNobody(t *testing.T) {
	r := start(t, relayserver.NoLimits())
	d := r.device("6281")
	_ = d.dial().Close()
	deaf := r.raw()
	deaf.login(d)
	from, other := r.business("628").dial(), r.device("6282").dial()
	got := other.listen()
	body := strings.Repeat("x", 100_000)
	for i := range 100 {
		from.send(to("6281", body))
		if err := from.Signal(t.Context(), relayclient.Address{Account: "6281"}, []byte(body[:4000])); err != nil {
			t.Fatal(err)
		}
		from.send(to("6282", fmt.Sprint(i)))
		other.ack(next(t, got.envelopes).Seq)
	}
	again := d.dial() // replaces the deaf connection
	mail := again.listen()
	for range 100 {
		again.ack(next(t, mail.envelopes).Seq)
	}
}

func TestPings(t *testing.T) {
	r := start(t, relayserver.NoLimits())
	d, e := r.device("6281"), r.device("6282")
	_ = d.dial().Close()
	deaf, well := r.raw(), e.dial()
	deaf.login(d)
	r.Ping(relayproto.PingEvery + time.Second)
	if f := deaf.read(); f.GetPing() == nil {
		t.Fatalf("got %v, want a ping", f)
	}
	r.Ping(relayproto.PingEvery + 2*time.Second)
	r.Ping(relayproto.SilentAfter + time.Second)
	if why := deaf.isCut(); why != relayproto.Closing_SILENT {
		t.Fatalf("cut with %v", why)
	}
	patience.Next(t, "the other one is cut", well.Done()) // the test has moved time for everybody
	if !errors.Is(well.Err(), relayclient.ErrSilent) {
		t.Fatalf("cut with %v", well.Err())
	}
}

// FuzzConnection sends any bytes, as a stranger and as a device. The relay must stay well.
func FuzzConnection(f *testing.F) {
	stranger, device := badMessages(f)
	for _, m := range stranger {
		f.Add(false, m, m)
	}
	for _, m := range device {
		f.Add(true, m, m)
	}
	r := start(f, relayserver.NoLimits())
	d, probe := r.device("6281"), r.device("6282").dial()
	_ = d.dial().Close()
	f.Fuzz(func(t *testing.T, loggedIn bool, first, second []byte) {
		ws, _, err := websocket.Dial(t.Context(), r.url()+relayproto.Path, nil)
		if err != nil {
			t.Fatal(err)
		}
		c := &raw{t: t, ws: ws, wire: relayproto.NewConn(ws)}
		defer c.wire.Kill()
		if loggedIn {
			c.login(d)
		}
		for _, m := range [][]byte{first, second} {
			_ = ws.Write(t.Context(), websocket.MessageBinary, m) // may fail once the relay has hung up
		}
		if known, err := probe.Lookup(t.Context(), "6281"); err != nil || !known[0] {
			t.Fatalf("the relay is unwell: %v", err)
		}
	})
}

// TestACutAtTheTCPLevelIsNoticed: a reset, without a goodbye.
func TestACutAtTheTCPLevelIsNoticed(t *testing.T) {
	r := start(t, relayserver.NoLimits())
	p := r.proxy()
	d := r.device("6281")
	d.options.URL = "ws://" + p.addr
	c := d.dial()
	p.cut()
	patience.Next(t, "the device notices", c.Done())
	if err := c.Err(); !errors.Is(err, relayclient.ErrClosed) {
		t.Fatalf("ended with %v", err)
	}
}
