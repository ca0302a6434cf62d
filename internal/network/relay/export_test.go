package relay

import (
	"time"

	"kabar/internal/network"
)

// TendEvery makes the driver look at the age of its prekeys more often.
func (d *Driver) TendEvery(every time.Duration) { d.tendEvery = every }

// Ciphertext returns what a packet carries.
func Ciphertext(p network.Packet) ([]byte, error) {
	e, err := openPacket(p)
	return e.Ciphertext, err
}

// AskEvery makes a driver that waits for a verification code ask again more often.
func (d *Driver) AskEvery(every time.Duration) { d.askEvery = every }
