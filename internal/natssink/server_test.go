package natssink_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"kabar/internal/natssink"
	"kabar/internal/patience"
)

// server is a real nats-server on a loopback port.
type server struct {
	t          *testing.T
	bin, dir   string
	config     string
	host, port string
	cmd        *exec.Cmd
}

// streams is the configuration of a server with JetStream, in the folder %s.
const streams = "jetstream { store_dir: %q }\n"

// start starts a server with JetStream and whatever else the configuration says. It ends with the test.
func start(t *testing.T, config string) *server {
	t.Helper()
	s := &server{t: t, dir: t.TempDir(), port: "-1"} // a free one
	s.config = fmt.Sprintf(streams, s.dir) + config
	s.find()
	s.run()
	return s
}

// find skips the test where there is no nats-server.
func (s *server) find() {
	s.t.Helper()
	bin, err := exec.LookPath("nats-server")
	if err != nil {
		s.t.Skip("!!! NOT CHECKED with NATS: there is no nats-server")
	}
	s.bin = bin
}

// run starts the process and learns its port, which stays the same from then on.
func (s *server) run() {
	s.t.Helper()
	config := filepath.Join(s.dir, "server.conf")
	if err := os.WriteFile(config, []byte(s.config), 0o600); err != nil {
		s.t.Fatal(err)
	}
	s.cmd = exec.CommandContext(context.Background(), s.bin, "-c", config, "-a", "127.0.0.1", "-p", s.port, "--ports_file_dir", s.dir, "-l", filepath.Join(s.dir, "log"))
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(s.kill)
	file := filepath.Join(s.dir, fmt.Sprintf("nats-server_%d.ports", s.cmd.Process.Pid))
	var ports struct{ Nats []string }
	if !patience.Comes(func() bool {
		text, err := os.ReadFile(file)
		return err == nil && json.Unmarshal(text, &ports) == nil && len(ports.Nats) > 0
	}) {
		log, _ := os.ReadFile(filepath.Join(s.dir, "log"))
		s.t.Fatalf("nats-server has not started: %s", log)
	}
	u, err := url.Parse(ports.Nats[0])
	if err != nil {
		s.t.Fatal(err)
	}
	s.host, s.port = u.Host, u.Port()
}

// kill ends the process as a power cut of the process would: at once.
func (s *server) kill() {
	_ = s.cmd.Process.Kill() // it may have ended
	_ = s.cmd.Wait()         // its status is that of the kill
}

// url is where the server is, for a user.
func (s *server) url(user, path string) string {
	if user != "" {
		user += "@"
	}
	return "nats://" + user + s.host + path
}

// open connects to a URL.
func open(t *testing.T, url string) *natssink.Sink {
	t.Helper()
	s, err := natssink.Open(patience.Context(t), natssink.Options{URL: url, Dial: new(net.Dialer).DialContext, Name: "Kabar/test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// operator is a connection of the operator's, who creates the stream and reads it.
func (s *server) operator(user string) jetstream.JetStream {
	s.t.Helper()
	conn, err := nats.Connect(s.url(user, ""), nats.MaxReconnects(-1), nats.ReconnectWait(50*time.Millisecond))
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(conn.Close)
	js, err := jetstream.New(conn)
	if err != nil {
		s.t.Fatal(err)
	}
	return js
}

// create makes the stream EVENTS with everything below kabar.
func (s *server) create(user string, config jetstream.StreamConfig) jetstream.Stream {
	s.t.Helper()
	config.Name, config.Subjects = "EVENTS", []string{"kabar.>"}
	stream, err := s.operator(user).CreateStream(patience.Context(s.t), config)
	if err != nil {
		s.t.Fatal(err)
	}
	return stream
}

// stored returns the messages of a stream, in its order.
func stored(t *testing.T, stream jetstream.Stream) (all []*jetstream.RawStreamMsg) {
	t.Helper()
	info, err := stream.Info(patience.Context(t))
	if err != nil {
		t.Fatal(err)
	}
	for seq := info.State.FirstSeq; seq <= info.State.LastSeq; seq++ {
		m, err := stream.GetMsg(patience.Context(t), seq)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, m)
	}
	return all
}

// fails checks that an error says what is wanted, and nothing secret.
func fails(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "geheim") {
		t.Errorf("%v instead of %q", err, want)
	}
}
