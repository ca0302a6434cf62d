package relayproto_test

import (
	"bytes"
	"errors"
	"testing"

	"google.golang.org/protobuf/proto"

	"kabar/internal/relayproto"
)

var (
	somebody = &relayproto.Address{Account: "6281234567890", Device: 1}
	msgID    = make([]byte, relayproto.MsgIDSize)
)

// valid has one frame of every kind.
func valid() []*relayproto.Frame {
	key := &relayproto.Prekey{Id: 1, Key: []byte("k")}
	return []*relayproto.Frame{
		{Body: &relayproto.Frame_Hello{Hello: &relayproto.Hello{Protocol: relayproto.Protocol, Relay: "r", Nonce: make([]byte, 32)}}},
		{Body: &relayproto.Frame_Register{Register: &relayproto.Register{Address: somebody, Class: relayproto.Class_CLASS_CUSTOMER, PublicKey: make([]byte, 32)}}},
		{Body: &relayproto.Frame_Login{Login: &relayproto.Login{Address: somebody}}},
		{Body: &relayproto.Frame_LoginOk{LoginOk: &relayproto.LoginOK{Counter: 1}}},
		{Body: &relayproto.Frame_Confirm{Confirm: &relayproto.Confirm{Counter: 1}}},
		{Body: &relayproto.Frame_Done{Done: &relayproto.Done{}}},
		{Body: &relayproto.Frame_Refused{Refused: &relayproto.Refused{Code: relayproto.Refused_LIMITED, RetryAfterMs: 5}}},
		{Body: &relayproto.Frame_Closing{Closing: &relayproto.Closing{Reason: relayproto.Closing_REPLACED}}},
		{Body: &relayproto.Frame_Ping{Ping: &relayproto.Ping{}}},
		{Body: &relayproto.Frame_Pong{Pong: &relayproto.Pong{}}},
		{Id: 7, Body: &relayproto.Frame_Send{Send: &relayproto.Send{MsgId: msgID, To: somebody, Ciphertext: []byte("c")}}},
		{Body: &relayproto.Frame_Deliver{Deliver: &relayproto.Deliver{Seq: 1, MsgId: msgID, From: somebody}}},
		{Body: &relayproto.Frame_Expired{Expired: &relayproto.Expired{Seq: 1, MsgId: msgID, To: somebody}}},
		{Body: &relayproto.Frame_Ack{Ack: &relayproto.Ack{Seqs: []uint64{1, 2}}}},
		{Body: &relayproto.Frame_Signal{Signal: &relayproto.Signal{To: somebody, Ciphertext: []byte("c")}}},
		{Body: &relayproto.Frame_Publish{Publish: &relayproto.Publish{Identity: []byte("i"), Signed: key, LastResort: key, OneTime: []*relayproto.Prekey{key}}}},
		{Body: &relayproto.Frame_Fetch{Fetch: &relayproto.Fetch{Target: somebody}}},
		{Body: &relayproto.Frame_Bundle{Bundle: &relayproto.Bundle{Signed: key, Kem: key}}},
		{Body: &relayproto.Frame_PrekeysLow{PrekeysLow: &relayproto.PrekeysLow{OneTime: 1}}},
		{Body: &relayproto.Frame_Lookup{Lookup: &relayproto.Lookup{Accounts: []string{"1"}}}},
		{Body: &relayproto.Frame_Known{Known: &relayproto.Known{Known: []bool{true}}}},
		{Body: &relayproto.Frame_AskTicket{AskTicket: &relayproto.AskTicket{Size: 1, Sha256: make([]byte, 32)}}},
		{Body: &relayproto.Frame_Ticket{Ticket: &relayproto.Ticket{Blob: "b"}}},
	}
}

func TestEveryFrameSurvivesTheWire(t *testing.T) {
	kinds := (&relayproto.Frame{}).ProtoReflect().Descriptor().Oneofs().ByName("body").Fields().Len()
	if n := len(valid()); n != kinds {
		t.Fatalf("the test has %d kinds of frames, the protocol %d", n, kinds)
	}
	for _, f := range valid() {
		b, err := relayproto.Encode(f)
		if err != nil {
			t.Fatal(err)
		}
		got, err := relayproto.Decode(b)
		if err != nil {
			t.Errorf("%v: %v", f, err)
		} else if !proto.Equal(f, got) {
			t.Errorf("got %v, want %v", got, f)
		}
	}
}

func TestDecodeRefusesWhatBreaksTheProtocol(t *testing.T) {
	keys := func(ids ...uint32) (list []*relayproto.Prekey) {
		for _, id := range ids {
			list = append(list, &relayproto.Prekey{Id: id, Key: []byte("k")})
		}
		return list
	}
	register := func(change func(*relayproto.Register)) *relayproto.Frame {
		r := &relayproto.Register{Address: somebody, Class: relayproto.Class_CLASS_CUSTOMER, PublicKey: make([]byte, 32)}
		change(r)
		return &relayproto.Frame{Body: &relayproto.Frame_Register{Register: r}}
	}
	publish := func(p *relayproto.Publish) *relayproto.Frame {
		return &relayproto.Frame{Body: &relayproto.Frame_Publish{Publish: p}}
	}
	send := func(s *relayproto.Send) *relayproto.Frame {
		return &relayproto.Frame{Body: &relayproto.Frame_Send{Send: s}}
	}
	for name, f := range map[string]*relayproto.Frame{
		"no body":          {Id: 1},
		"short nonce":      {Body: &relayproto.Frame_Hello{Hello: &relayproto.Hello{Nonce: []byte("x")}}},
		"no address":       register(func(r *relayproto.Register) { r.Address = nil }),
		"empty account":    register(func(r *relayproto.Register) { r.Address = &relayproto.Address{Device: 1} }),
		"short host":       register(func(r *relayproto.Register) { r.Host = make([]byte, 31) }),
		"long code":        register(func(r *relayproto.Register) { r.Code = "1234567" }),
		"space in account": register(func(r *relayproto.Register) { r.Address = &relayproto.Address{Account: "6 2", Device: 1} }),
		"long account": register(func(r *relayproto.Register) {
			r.Address = &relayproto.Address{Account: string(bytes.Repeat([]byte{'1'}, 129)), Device: 1}
		}),
		"device 0":           register(func(r *relayproto.Register) { r.Address = &relayproto.Address{Account: "1"} }),
		"device 128":         register(func(r *relayproto.Register) { r.Address = &relayproto.Address{Account: "1", Device: 128} }),
		"short key":          register(func(r *relayproto.Register) { r.PublicKey = r.PublicKey[1:] }),
		"no class":           register(func(r *relayproto.Register) { r.Class = 0 }),
		"unknown class":      register(func(r *relayproto.Register) { r.Class = 9 }),
		"short recovery":     register(func(r *relayproto.Register) { r.Recovery = []byte("x") }),
		"long invite":        register(func(r *relayproto.Register) { r.Invite = string(bytes.Repeat([]byte{'1'}, 513)) }),
		"short message id":   send(&relayproto.Send{MsgId: msgID[1:], To: somebody}),
		"no recipient":       send(&relayproto.Send{MsgId: msgID}),
		"negative expiry":    send(&relayproto.Send{MsgId: msgID, To: somebody, ExpiresAtMs: -1}),
		"delivery without":   {Body: &relayproto.Frame_Deliver{Deliver: &relayproto.Deliver{MsgId: msgID, From: somebody}}},
		"expiry without":     {Body: &relayproto.Frame_Expired{Expired: &relayproto.Expired{Seq: 1, MsgId: msgID}}},
		"too many acks":      {Body: &relayproto.Frame_Ack{Ack: &relayproto.Ack{Seqs: make([]uint64, 1001)}}},
		"signal to nobody":   {Body: &relayproto.Frame_Signal{Signal: &relayproto.Signal{}}},
		"large signal":       {Body: &relayproto.Frame_Signal{Signal: &relayproto.Signal{To: somebody, Ciphertext: make([]byte, 4097)}}},
		"prekey id 0":        publish(&relayproto.Publish{Signed: keys(0)[0]}),
		"empty prekey":       publish(&relayproto.Publish{LastResort: &relayproto.Prekey{Id: 1}}),
		"falling prekey ids": publish(&relayproto.Publish{OneTime: keys(2, 1)}),
		"equal prekey ids":   publish(&relayproto.Publish{OneTimeKem: keys(2, 2)}),
		"large identity":     publish(&relayproto.Publish{Identity: make([]byte, 4097)}),
		"201 keys":           publish(&relayproto.Publish{OneTime: make([]*relayproto.Prekey, 201)}),
		"no target":          {Body: &relayproto.Frame_Fetch{Fetch: &relayproto.Fetch{}}},
		"bundle without":     {Body: &relayproto.Frame_Bundle{Bundle: &relayproto.Bundle{}}},
		"101 look-ups":       {Body: &relayproto.Frame_Lookup{Lookup: &relayproto.Lookup{Accounts: make([]string, 101)}}},
		"empty look-up":      {Body: &relayproto.Frame_Lookup{Lookup: &relayproto.Lookup{Accounts: []string{""}}}},
		"short hash":         {Body: &relayproto.Frame_AskTicket{AskTicket: &relayproto.AskTicket{Size: 1, Sha256: []byte("x")}}},
		"negative size":      {Body: &relayproto.Frame_AskTicket{AskTicket: &relayproto.AskTicket{Size: -1, Sha256: make([]byte, 32)}}},
	} {
		for i, k := range f.GetPublish().GetOneTime() {
			if k == nil { // a nil entry cannot be encoded
				f.GetPublish().OneTime[i] = &relayproto.Prekey{Id: uint32(i + 1), Key: []byte("k")}
			}
		}
		b, err := proto.Marshal(f)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := relayproto.Decode(b); !errors.Is(err, relayproto.ErrMalformed) {
			t.Errorf("%s: Decode = %v, want ErrMalformed", name, err)
		}
	}
}

func TestFramesHaveALimit(t *testing.T) {
	full := &relayproto.Frame{Body: &relayproto.Frame_Send{Send: &relayproto.Send{
		MsgId: msgID, To: &relayproto.Address{Account: string(bytes.Repeat([]byte{'1'}, relayproto.MaxAccount)), Device: 1},
		Ciphertext: make([]byte, relayproto.MaxCiphertext), ExpiresAtMs: 1 << 62, Kind: 1 << 31,
	}}}
	if _, err := relayproto.Encode(full); err != nil {
		t.Errorf("the largest envelope does not fit: %v", err)
	}
	full.GetSend().Ciphertext = make([]byte, relayproto.MaxFrame)
	if _, err := relayproto.Encode(full); !errors.Is(err, relayproto.ErrFrameTooLarge) {
		t.Errorf("Encode = %v, want ErrFrameTooLarge", err)
	}
	if _, err := relayproto.Decode(make([]byte, relayproto.MaxFrame+1)); !errors.Is(err, relayproto.ErrFrameTooLarge) {
		t.Errorf("Decode = %v, want ErrFrameTooLarge", err)
	}
}

// FuzzDecode: whatever Decode accepts has a body and can be encoded and decoded again to the same frame.
func FuzzDecode(f *testing.F) {
	for _, frame := range valid() {
		b, err := proto.Marshal(frame)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
		f.Add(b[:len(b)/2])
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		frame, err := relayproto.Decode(b)
		if err != nil {
			return
		}
		if frame.Body == nil {
			t.Fatal("a frame without a body was accepted")
		}
		again, err := relayproto.Encode(frame)
		if err != nil && !errors.Is(err, relayproto.ErrFrameTooLarge) { // a shorter form of numbers may be allowed to grow
			t.Fatal(err)
		}
		if err != nil {
			return
		}
		back, err := relayproto.Decode(again)
		if err != nil || !proto.Equal(frame, back) {
			t.Fatalf("decoded again: %v, %v", back, err)
		}
	})
}
