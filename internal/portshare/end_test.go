package portshare

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A connection that is closed while something was asked on it stays open for the answer, and is closed by who answers, or
// after a while. Before the end, and when time is up, it is closed at once.
func TestCloseWaitsForTheAnswer(t *testing.T) {
	for _, test := range []struct {
		name                        string
		ending, used, asked, answer bool
		open                        time.Duration // for how long, after Close
	}{
		{"serving", false, true, true, false, 0},
		{"never used", true, false, true, false, 0}, // a handshake, perhaps
		{"nothing asked", true, true, false, false, 0},
		{"answered", true, true, true, true, 0},
		{"asked", true, true, true, false, answerTime},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &Server{}
				s.ending.Store(test.ending)
				ln := newPipes()
				var ours *conn
				go func() {
					raw, _ := ln.Accept()
					ours = &conn{Conn: raw, release: func() {}, ending: &s.ending}
				}()
				client := ln.dial()
				synctest.Wait()
				if test.used {
					state(ours, http.StateIdle)
				}
				if test.asked {
					go fmt.Fprint(client, "x")
					if _, err := ours.Read(make([]byte, 1)); err != nil {
						t.Fatal(err)
					}
				}
				if test.answer {
					go client.Read(make([]byte, 1))
					if _, err := ours.Write([]byte("y")); err != nil {
						t.Fatal(err)
					}
					state(ours, http.StateIdle)
				}
				began := time.Now()
				if err := ours.Close(); err != nil {
					t.Error(err)
				}
				if _, err := client.Read(make([]byte, 1)); err == nil || time.Since(began) != test.open {
					t.Errorf("closed after %v with %v, want %v", time.Since(began), err, test.open)
				}
			})
		})
	}
}

// A client that keeps its connection busy learns with its next answer that it must not go on with it: none of its requests
// is lost.
func TestBusyClientIsSentAway(t *testing.T) {
	s, _ := newServer(t)
	s.Plain.Handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "hello") })
	bubble(t, s, func(_ context.Context, cancel func(), ln *pipes, done <-chan error) {
		client := ln.dial()
		answers := bufio.NewReader(client)
		answered := 0
		for i := range 10 {
			if i == 5 {
				cancel()
				synctest.Wait()
			}
			if _, err := fmt.Fprint(client, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
				t.Fatalf("request %d: %v", i, err)
			}
			res, err := http.ReadResponse(answers, nil)
			if err != nil {
				t.Fatalf("request %d: %v", i, err)
			}
			answered++
			if strings.EqualFold(res.Header.Get("Connection"), "close") || res.Close {
				break
			}
			res.Body.Close()
			answers.Discard(answers.Buffered())
			time.Sleep(10 * time.Millisecond)
		}
		if answered != 6 {
			t.Errorf("%d requests were answered before the connection was closed, want 6", answered)
		}
		began := time.Now()
		client.Close()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if took := time.Since(began); took > time.Second {
			t.Errorf("the end took %v after the last answer", took)
		}
	})
}
