package bench

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// process is a part of the product in a process of its own: this program, started with other arguments.
type process struct {
	name string
	cmd  *exec.Cmd
	log  string        // file with what it has written to standard error
	said chan string   // the address it has printed
	done chan struct{} // closed when it has ended
	err  error         // how; read behind done
	stop sync.Once
	end  error // of stop
}

// How long a program may take to begin, and to end once it is told to.
const (
	startTime = 30 * time.Second
	endTime   = 10 * time.Second
)

// announced finds the address that every program prints once it listens.
var announced = regexp.MustCompile(`(?:serves|relays at|phones at|answers at) \w+://(\S+)`)

// start starts this program with some arguments. It ends with ctx at the latest.
func (b *bench) start(ctx context.Context, name string, args ...string) (*process, error) {
	p := &process{name: name, log: filepath.Join(b.dir, fmt.Sprintf("%s-%d.log", name, b.started.Add(1))), said: make(chan string, 1), done: make(chan struct{})}
	p.cmd = exec.CommandContext(ctx, b.o.Self, args...) //nolint:gosec // it is this program
	p.cmd.Args[0] = "kabar"
	p.cmd.Dir, p.cmd.Env = b.dir, ownEnvironment()
	p.cmd.Cancel, p.cmd.WaitDelay = p.tell, endTime
	log, err := os.Create(p.log)
	if err != nil {
		return nil, err
	}
	defer func() { _ = log.Close() }() // the child has it
	p.cmd.Stderr = log
	out, in, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	p.cmd.Stdout = in
	err = p.cmd.Start()
	_ = in.Close() // the child has it
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start %s: %w", name, err), out.Close())
	}
	go p.listen(out)
	go func() {
		defer close(p.done)
		p.err = p.cmd.Wait()
	}()
	b.children = append(b.children, p)
	return p, nil
}

// ownEnvironment is this process's, without what configures the product: what is measured is what the command line says.
func ownEnvironment() []string {
	var env []string
	for _, e := range os.Environ() {
		if !strings.HasPrefix(e, "KABAR_") && !strings.HasPrefix(e, "NOTIFY_SOCKET=") {
			env = append(env, e)
		}
	}
	return env
}

// listen reads what the program prints, to its end, and passes the address on.
func (p *process) listen(out io.ReadCloser) {
	defer func() { _ = out.Close() }() // read only
	for s := bufio.NewScanner(out); s.Scan(); {
		if m := announced.FindStringSubmatch(s.Text()); m != nil {
			select {
			case p.said <- m[1]:
			default: // it says it once
			}
		}
	}
}

// address waits until the program says where it listens.
func (p *process) address(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	select {
	case a := <-p.said:
		return a, nil
	case <-p.done:
		return "", p.failed(errors.Join(errors.New("ended at once"), p.err))
	case <-ctx.Done():
		return "", p.failed(ctx.Err())
	}
}

// failed puts what the program has last logged behind an error.
func (p *process) failed(err error) error {
	const lines = 5
	text, _ := os.ReadFile(p.log) // without it the error stands alone
	all := strings.Split(strings.TrimSpace(string(text)), "\n")
	return fmt.Errorf("kabar %s: %w\n%s", p.name, err, strings.Join(all[max(0, len(all)-lines):], "\n"))
}

// tell asks the program to end.
func (p *process) tell() error {
	if p.cmd.Process.Signal(syscall.SIGTERM) != nil { // not on every system
		return p.cmd.Process.Kill()
	}
	return nil
}

// close ends the program and waits for it. A second call returns what the first has.
func (p *process) close() error {
	p.stop.Do(func() {
		select {
		case <-p.done:
			p.end = p.failed(errors.Join(errors.New("ended by itself"), p.err))
			return
		default:
		}
		_ = p.tell() // if it is gone already, done says so
		select {
		case <-p.done:
		case <-time.After(endTime):
			_ = p.cmd.Process.Kill() // likewise
			<-p.done
		}
	})
	return p.end
}

// clockTick is the unit of processor times in /proc: Linux shows every program hundredths of a second.
const clockTick = 10 * time.Millisecond

// cpu returns the processor time that the process has used so far; 0 where the system does not tell.
func (p *process) cpu() time.Duration {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(text), ") ") // the name may hold anything
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0
	}
	var ticks int64
	for _, f := range fields[11:13] { // utime and stime
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			return 0
		}
		ticks += n
	}
	return time.Duration(ticks) * clockTick
}

// memory returns how many bytes of the process are in memory, and how many at most so far; 0 where the system does not tell.
func (p *process) memory() (now, most int64) {
	file := fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid)
	for name, n := range map[string]*int64{"VmRSS": &now, "VmHWM": &most} {
		if _, err := fmt.Sscanf(field(file, name), "%d kB", n); err != nil {
			*n = 0
		}
		*n <<= 10
	}
	return now, most
}
