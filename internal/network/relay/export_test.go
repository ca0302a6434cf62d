package relay

import (
	"time"

	"kabar/internal/network"
	"kabar/internal/relayclient"
)

// TendEvery makes the driver look at the age of its prekeys more often.
func (d *Driver) TendEvery(every time.Duration) { d.tendEvery = every }

// Lacking returns how many one-time keys of each kind the driver makes when it has been told info.
func Lacking(info relayclient.LoginInfo, setBack bool) (oneTime, kem int) {
	return lacking(info, setBack)
}

// Ciphertext returns what a packet carries.
func Ciphertext(p network.Packet) ([]byte, error) {
	e, err := openPacket(p)
	return e.Ciphertext, err
}

// AskEvery makes a driver that waits for a verification code ask again more often.
func (d *Driver) AskEvery(every time.Duration) { d.askEvery = every }
