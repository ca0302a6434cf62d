package relayserver_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"

	"kabar/internal/relayserver"
)

// childVariable makes the test binary a relay on the folder it holds, until it is killed.
const childVariable = "KABAR_TEST_RELAY_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childVariable); dir != "" {
		if err := child(dir, os.Getenv(childVariable+"_ADDR")); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func child(dir, addr string) error {
	s, err := relayserver.Open(context.Background(), relayserver.Options{
		Dir: dir, Admit: relayserver.OpenRegistration, Limits: relayserver.NoLimits(),
	})
	if err != nil {
		return err
	}
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	fmt.Println(ln.Addr())
	return s.Serve(context.Background(), ln)
}

// spawn runs the relay of r's folder in a process of its own and returns how to kill that.
func (r *relay) spawn() (kill func()) {
	r.t.Helper()
	self, err := os.Executable()
	if err != nil {
		r.t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), childVariable+"="+r.dir, childVariable+"_ADDR="+r.addr)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		r.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	kill = func() {
		_ = cmd.Process.Kill() // SIGKILL; it may have ended by itself
		_ = cmd.Wait()
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		kill()
		r.t.Fatalf("the relay did not start: %v", err)
	}
	r.addr = strings.TrimSpace(line)
	return kill
}

func TestEverythingArrivesInOrderThroughKills(t *testing.T) {
	r := &relay{t: t, dir: t.TempDir(), addr: "127.0.0.1:0"}
	kill := r.spawn()
	defer func() { kill() }()
	kills := 0
	exchange(t, r.business("628"), r.device("6281"), 400, func() {
		kill()
		kill = r.spawn()
		kills++
	})
	if kills == 0 {
		t.Error("everything was over before the first kill")
	}
	t.Logf("%d kills", kills)
}
