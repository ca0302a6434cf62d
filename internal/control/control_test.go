package control

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"kabar/internal/patience"
)

type (
	question struct {
		Text string `json:"text"`
		N    int    `json:"n"`
	}
	answer struct {
		Text string `json:"text"`
	}
)

// operations answer in every way that there is.
func operations() *Mux {
	m := NewMux()
	Handle(m, "echo", func(_ context.Context, in question, _ Report) (answer, error) { return in.text(), nil })
	Handle(m, "count", func(_ context.Context, in question, report Report) (answer, error) {
		for i := range in.N {
			report(Progress{What: "numbers", Done: int64(i + 1), Total: int64(in.N), Unit: "B"})
		}
		return in.text(), nil
	})
	Handle(m, "refuse", func(context.Context, question, Report) (answer, error) {
		return answer{}, fmt.Errorf("operation: %w", Refuse("no %s here", "luck"))
	})
	Handle(m, "fail", func(_ context.Context, _ question, report Report) (answer, error) {
		report(Progress{What: "steps", Done: 1})
		return answer{}, errors.New("the disk is full")
	})
	Handle(m, "unsayable", func(context.Context, question, Report) (chan int, error) { return make(chan int), nil })
	Handle(m, "die", func(_ context.Context, _ question, report Report) (answer, error) {
		report(Progress{What: "steps", Done: 1})
		panic(http.ErrAbortHandler) // as if the process had been killed: the connection breaks off
	})
	return m
}

func (q question) text() answer { return answer{fmt.Sprintf("%s %d", q.Text, q.N)} }

// run serves m on the folder until the test ends, and returns what Serve returned.
func run(t *testing.T, dir string, m *Mux) (stop func() error) {
	t.Helper()
	ln, err := Listen(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- Serve(ctx, ln, m) }()
	stop = sync.OnceValue(func() error { cancel(); return <-done })
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
	return stop
}

func dial(t *testing.T, dir string) *Client {
	t.Helper()
	c, err := Dial(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// both runs a test against a program that runs and against its operations in this process.
func both(t *testing.T, test func(t *testing.T, c *Client)) {
	t.Run("running", func(t *testing.T) {
		dir := t.TempDir()
		run(t, dir, operations())
		c := dial(t, dir)
		if c.Local {
			t.Error("a client of a running program says that it is local")
		}
		test(t, c)
	})
	t.Run("local", func(t *testing.T) {
		c := Local(operations())
		if !c.Local {
			t.Error("a local client does not say so")
		}
		test(t, c)
	})
}

func TestRoundTrip(t *testing.T) {
	both(t, func(t *testing.T, c *Client) {
		var got answer
		if err := c.Call(t.Context(), "echo", question{"sate", 7}, &got, nil); err != nil || got.Text != "sate 7" {
			t.Errorf("%+v, %v", got, err)
		}
		if err := c.Call(t.Context(), "echo", question{}, nil, nil); err != nil { // nobody wants the answer
			t.Error(err)
		}
		if err := c.Call(t.Context(), "count", question{N: 3}, nil, nil); err != nil { // nor the progress
			t.Error(err)
		}
	})
}

func TestProgress(t *testing.T) {
	both(t, func(t *testing.T, c *Client) {
		var seen []Progress
		var got answer
		err := c.Call(t.Context(), "count", question{"done", 1000}, &got, func(p Progress) { seen = append(seen, p) })
		if err != nil || got.Text != "done 1000" || len(seen) != 1000 {
			t.Fatalf("%+v, %v after %d reports", got, err, len(seen))
		}
		for i, p := range seen {
			if p != (Progress{"numbers", int64(i + 1), 1000, "B"}) {
				t.Fatalf("report %d is %+v", i, p)
			}
		}
	})
}

// Progress is there when it is made, not when the operation ends.
func TestProgressIsNotHeldBack(t *testing.T) {
	m := NewMux()
	goOn := make(chan struct{})
	Handle(m, "wait", func(ctx context.Context, _ question, report Report) (answer, error) {
		report(Progress{What: "steps", Done: 1})
		select {
		case <-goOn:
		case <-ctx.Done():
		}
		return answer{}, ctx.Err()
	})
	dir := t.TempDir()
	run(t, dir, m)
	for name, c := range map[string]*Client{"local": Local(m), "running": dial(t, dir)} {
		goOn = make(chan struct{})
		if err := c.Call(t.Context(), "wait", question{}, nil, func(Progress) { close(goOn) }); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestErrorKinds(t *testing.T) {
	both(t, func(t *testing.T, c *Client) {
		for _, tt := range []struct {
			name    string
			in      any
			message string
			refusal bool // it is an *Error
			usage   bool
		}{
			{"refuse", question{}, "no luck here", true, true},
			{"fail", question{}, "the disk is full", true, false},
			{"unsayable", question{}, "json: unsupported type: chan int", true, false},
			{"echo", map[string]int{"n": 1, "colour": 2}, `another version?): json: unknown field "colour"`, true, false},
			{"echo", map[string]string{"n": "many"}, "another version?)", true, false},
			{"echo", 7, "another version?)", true, false},
			{"echo", question{Text: strings.Repeat("x", MaxRequest)}, "more than 16777216 bytes", true, true},
			{"nothing", question{}, `no operation "nothing"`, false, false},
			{"echo/more", question{}, `no operation "echo/more"`, false, false},
			{"echo", make(chan int), "unsupported type", false, false},
		} {
			err := c.Call(t.Context(), tt.name, tt.in, &answer{}, nil)
			refused, ok := errors.AsType[*Error](err)
			if err == nil || !strings.Contains(err.Error(), tt.message) || ok != tt.refusal || ok && refused.Usage != tt.usage {
				t.Errorf("%s(%.40v): %T %v", tt.name, tt.in, err, err)
			}
		}
	})
}

// A refusal is shown as it is, without the words an operation has wrapped around it.
func TestRefusalIsShownAsItIs(t *testing.T) {
	both(t, func(t *testing.T, c *Client) {
		if err := c.Call(t.Context(), "refuse", question{}, nil, nil); err == nil || err.Error() != "no luck here" {
			t.Errorf("%v", err)
		}
	})
}

// A request that has passed the client is bounded by the program too.
func TestServerBoundsRequests(t *testing.T) {
	dir := t.TempDir()
	run(t, dir, operations())
	c := dial(t, dir)
	body := strings.NewReader(`{"text":"` + strings.Repeat("x", MaxRequest) + `"}`)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://kabar/echo", body)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	err = read(t.Context(), resp.Body, &answer{}, nil)
	if refused, ok := errors.AsType[*Error](err); !ok || !refused.Usage || !strings.Contains(refused.Message, "more than") {
		t.Errorf("%v", err)
	}
}

func TestProgramDiesMidAnswer(t *testing.T) {
	dir := t.TempDir()
	run(t, dir, operations())
	reports := 0
	err := dial(t, dir).Call(t.Context(), "die", question{}, &answer{}, func(Progress) { reports++ })
	if err == nil || !strings.Contains(err.Error(), "the program has ended before it answered") || reports != 1 {
		t.Errorf("%v after %d reports", err, reports)
	}
	if _, ok := errors.AsType[*Error](err); ok {
		t.Error("a broken connection looks like the operation's own refusal")
	}
}

// Between Dial and Call the program may go away.
func TestProgramGoneAfterDial(t *testing.T) {
	dir := t.TempDir()
	stop := run(t, dir, operations())
	c := dial(t, dir)
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	err := c.Call(t.Context(), "echo", question{}, nil, nil)
	if err == nil || !strings.Contains(err.Error(), "the program has ended") || strings.Contains(err.Error(), "http://") {
		t.Errorf("%v", err)
	}
	if _, err := Dial(t.Context(), dir); !errors.Is(err, ErrNotRunning) {
		t.Errorf("after its end: %v", err)
	}
}

func TestCallerGivesUp(t *testing.T) {
	m := NewMux()
	started, ended := make(chan struct{}, 2), make(chan error, 2)
	Handle(m, "wait", func(ctx context.Context, _ question, _ Report) (answer, error) {
		started <- struct{}{}
		<-ctx.Done()
		ended <- ctx.Err()
		return answer{}, ctx.Err()
	})
	dir := t.TempDir()
	run(t, dir, m)
	for name, c := range map[string]*Client{"local": Local(m), "running": dial(t, dir)} {
		ctx, cancel := context.WithCancel(t.Context())
		go func() { <-started; cancel() }()
		err := c.Call(ctx, "wait", question{}, nil, nil)
		if err == nil || !strings.Contains(err.Error(), "context canceled") || strings.Contains(err.Error(), "has ended") {
			t.Errorf("%s: %v", name, err)
		}
		patience.Next(t, name+": the operation is told", ended)
	}
}

func TestConcurrentCalls(t *testing.T) {
	both(t, func(t *testing.T, c *Client) {
		var wg sync.WaitGroup
		for i := range 32 {
			wg.Go(func() {
				reports, got := 0, answer{}
				err := c.Call(t.Context(), "count", question{"call", i}, &got, func(Progress) { reports++ })
				if err != nil || got.Text != fmt.Sprintf("call %d", i) || reports != i {
					t.Errorf("call %d: %+v, %v, %d reports", i, got, err, reports)
				}
			})
		}
		wg.Wait()
	})
}
