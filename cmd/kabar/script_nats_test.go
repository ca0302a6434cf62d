package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/rogpeppe/go-internal/testscript"

	"kabar/internal/patience"
)

// cmdNATS starts a nats-server with the stream EVENTS, which keeps what is published below kabar, and puts its URL into a variable: nats NAME.
// A script without nats-server skips itself.
// "nats read N" prints the messages of the stream, a line each, once there are N of them.
func cmdNATS(ts *testscript.TestScript, _ bool, args []string) {
	if args[0] == "read" {
		readNATS(ts, args[1])
		return
	}
	dir := ts.MkAbs("nats")
	ts.Check(os.MkdirAll(dir, 0o700))
	config := filepath.Join(dir, "server.conf")
	ts.Check(os.WriteFile(config, fmt.Appendf(nil, "jetstream { store_dir: %q, sync_interval: always }\n", dir), 0o600))
	cmd := exec.Command("nats-server", "-c", config, "-a", "127.0.0.1", "-p", "-1", "--ports_file_dir", dir, "-l", filepath.Join(dir, "log"))
	ts.Check(cmd.Start())
	ts.Defer(func() {
		_ = cmd.Process.Kill() // it may have ended
		_ = cmd.Wait()         // its status is that of the kill
	})
	var ports struct{ Nats []string }
	if !patience.Comes(func() bool {
		text, err := os.ReadFile(filepath.Join(dir, fmt.Sprintf("nats-server_%d.ports", cmd.Process.Pid)))
		return err == nil && json.Unmarshal(text, &ports) == nil && len(ports.Nats) > 0
	}) {
		ts.Fatalf("nats-server has not started: %s", ts.ReadFile("nats/log"))
	}
	ts.Setenv(args[0], ports.Nats[0])
	ts.Setenv("NATS_SERVER", ports.Nats[0])
	_, err := natsOf(ts).CreateStream(context.Background(), jetstream.StreamConfig{Name: "EVENTS", Subjects: []string{"kabar.>"}})
	ts.Check(err)
}

// natsOf connects to the nats-server that the script has started.
func natsOf(ts *testscript.TestScript) jetstream.JetStream {
	conn, err := nats.Connect(ts.Getenv("NATS_SERVER"), nats.Timeout(5*time.Second))
	ts.Check(err)
	ts.Defer(conn.Close)
	js, err := jetstream.New(conn)
	ts.Check(err)
	return js
}

// readNATS prints each message: its subject, the id that JetStream knows it by, webhook-id, kabar-replay, and the body.
func readNATS(ts *testscript.TestScript, count string) {
	ctx := context.Background()
	stream, err := natsOf(ts).Stream(ctx, "EVENTS")
	ts.Check(err)
	var last uint64
	patience.Comes(func() bool {
		info, err := stream.Info(ctx)
		if err == nil {
			last = info.State.LastSeq
		}
		return fmt.Sprint(last) == count
	})
	var b strings.Builder
	for seq := uint64(1); seq <= last; seq++ {
		m, err := stream.GetMsg(ctx, seq)
		ts.Check(err)
		fmt.Fprintf(&b, "%s %s %s replay=%s %s\n", m.Subject, m.Header.Get("Nats-Msg-Id"), m.Header["webhook-id"], m.Header["kabar-replay"], m.Data)
	}
	if fmt.Sprint(last) != count {
		ts.Fatalf("the stream has %d messages, not %s:\n%s", last, count, b.String())
	}
	_, err = ts.Stdout().Write([]byte(b.String()))
	ts.Check(err)
}
