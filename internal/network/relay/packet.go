package relay

import (
	"context"
	"encoding/binary"
	"errors"
	"time"

	"kabar/internal/network"
	"kabar/internal/relayclient"
)

// A packet is an envelope: id (16 bytes), expiry (8, milliseconds since 1970), length of the account (1), account,
// ciphertext.
const packetHead = 16 + 8 + 1

func newPacket(o *network.Outgoing, ciphertext []byte) (network.Packet, error) {
	id, err := envelopeID(o)
	if err != nil {
		return nil, err
	}
	var expires int64
	if o.Message != nil && !o.Message.Expires.IsZero() {
		expires = o.Message.Expires.UnixMilli()
	}
	account := o.To.Handle()
	p := make([]byte, 0, packetHead+len(account)+len(ciphertext))
	p = append(p, id[:]...)
	p = binary.BigEndian.AppendUint64(p, uint64(expires))
	p = append(p, byte(len(account)))
	p = append(p, account...)
	return append(p, ciphertext...), nil
}

func openPacket(p network.Packet) (relayclient.Envelope, error) {
	if len(p) < packetHead || len(p) < packetHead+int(p[packetHead-1]) {
		return relayclient.Envelope{}, errors.New("relay: a stored packet is too short")
	}
	body := p[packetHead:]
	n := int(p[packetHead-1])
	e := relayclient.Envelope{ID: relayclient.MsgID(p[:16]), To: relayclient.Address{Account: string(body[:n]), Device: 1}, Ciphertext: body[n:]}
	if ms := int64(binary.BigEndian.Uint64(p[16:24])); ms > 0 {
		e.Expires = time.UnixMilli(ms)
	}
	return e, nil
}

// Transmit implements network.Network.
func (d *Driver) Transmit(ctx context.Context, p network.Packet) error {
	conn, _, err := d.link()
	if err != nil {
		return err
	}
	e, err := openPacket(p)
	if err != nil {
		return err
	}
	if err := conn.Send(ctx, e); err != nil {
		return verdict(err)
	}
	return nil
}
