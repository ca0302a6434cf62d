//go:build unix

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"kabar/internal/torture/failpoint"
)

// process is one of the programs of a run: the product's, or a recorder's.
type process struct {
	name  string
	args  []string // the program first
	dir   string   // of the run
	env   []string
	ready func(ctx context.Context) error // nil when it answers

	cmd   *exec.Cmd
	input io.WriteCloser
	ended chan struct{}
	exit  error
}

// readyWithin is how long a program may take until it answers.
const readyWithin = 30 * time.Second

// launch starts the process, with a first command for its failpoints, and does not wait.
func (p *process) launch(arm string) error {
	log, err := os.OpenFile(p.logFile(), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()             // the process has its own
	p.cmd = exec.Command(p.args[0], p.args[1:]...) //nolint:noctx // it outlives what starts it, and ends with its input
	p.cmd.Dir, p.cmd.Stdout, p.cmd.Stderr = p.dir, log, log
	p.cmd.Env = append(append(os.Environ(), failpoint.EnvHits+"="+p.hitsFile()), p.env...)
	if arm != "" {
		p.cmd.Env = append(p.cmd.Env, failpoint.EnvArm+"="+arm)
	}
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // the terminal's ^C is for the harness
	if p.input, err = p.cmd.StdinPipe(); err != nil {
		return err
	}
	if err := p.cmd.Start(); err != nil {
		return err
	}
	ended := make(chan struct{})
	p.ended = ended
	go func() {
		p.exit = p.cmd.Wait()
		close(ended)
	}()
	return nil
}

// start starts the process and waits until it answers.
func (p *process) start(ctx context.Context) error {
	if err := p.launch(""); err != nil {
		return err
	}
	return p.await(ctx)
}

// await waits until the process answers.
func (p *process) await(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	for {
		err := error(nil)
		if p.ready != nil {
			err = p.ready(ctx)
		}
		if err == nil {
			return nil
		}
		select {
		case <-p.ended:
			return fmt.Errorf("%s ended instead of starting: %w; see %s", p.name, p.exit, p.logFile())
		case <-ctx.Done():
			return fmt.Errorf("%s does not answer: %w; see %s", p.name, err, p.logFile())
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// command tells the failpoints of the process something.
func (p *process) command(format string, args ...any) error {
	_, err := fmt.Fprintf(p.input, format+"\n", args...)
	return err
}

// gone waits until the process has ended; false when that takes longer.
func (p *process) gone(within time.Duration) bool {
	select {
	case <-p.ended:
		return true
	case <-time.After(within):
		return false
	}
}

// kill ends the process as the machine's death would, as far as the process is concerned.
func (p *process) kill() {
	if p.cmd == nil || p.cmd.Process == nil {
		return
	}
	_ = p.cmd.Process.Kill() // it may have ended
	<-p.ended
}

// finish ends the process in order.
func (p *process) finish(within time.Duration) error {
	if p.cmd == nil || p.cmd.Process == nil {
		return nil
	}
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // it may have ended
	if !p.gone(within) {
		p.kill()
		return fmt.Errorf("%s did not end within %s", p.name, within)
	}
	return nil
}

// terminated says that SIGTERM has ended the process at once: finish came before it had begun to listen for it.
func (p *process) terminated() bool {
	exit, ok := errors.AsType[*exec.ExitError](p.exit)
	if !ok {
		return false
	}
	status, ok := exit.Sys().(syscall.WaitStatus)
	return ok && status.Signaled() && status.Signal() == syscall.SIGTERM
}

func (p *process) logFile() string  { return filepath.Join(p.dir, "logs", p.name+".log") }
func (p *process) hitsFile() string { return filepath.Join(p.dir, "hits", p.name) }

// answersHTTP is a ready function: the URL answers, with 200.
func answersHTTP(url string) func(context.Context) error {
	client := &http.Client{Timeout: time.Second}
	return func(ctx context.Context) error {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
		if err != nil {
			return err
		}
		res, err := client.Do(req)
		if err != nil {
			return err
		}
		if err := res.Body.Close(); err != nil {
			return err
		}
		if res.StatusCode != http.StatusOK {
			return errors.New(res.Status)
		}
		return nil
	}
}

// answersTCP is a ready function: somebody listens.
func answersTCP(addr string) func(context.Context) error {
	return func(ctx context.Context) error {
		c, err := (&net.Dialer{Timeout: time.Second}).DialContext(ctx, "tcp", addr)
		if err != nil {
			return err
		}
		return c.Close()
	}
}

// freeAddress returns an address of this machine that nobody uses now.
func freeAddress(ctx context.Context) (string, error) {
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return ln.Addr().String(), ln.Close()
}
