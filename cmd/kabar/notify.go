package main

import (
	"context"
	"net"
	"os"
)

// Messages to the service manager: sd_notify(3).
const (
	notifyReady    = "READY=1"
	notifyStopping = "STOPPING=1"
)

// notify tells systemd how far a service is, when systemd has asked for it (Type=notify). Nobody waits for an answer: a
// manager that cannot be reached is no reason to stop.
func notify(ctx context.Context, state string) {
	address := os.Getenv("NOTIFY_SOCKET")
	if address == "" {
		return
	}
	if address[0] == '@' {
		address = "\x00" + address[1:] // an abstract socket
	}
	c, err := new(net.Dialer).DialContext(ctx, "unixgram", address)
	if err != nil {
		return
	}
	_, _ = c.Write([]byte(state))
	_ = c.Close()
}
