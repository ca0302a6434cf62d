package egress

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
)

// fakeResolver returns a resolver that gives the same answer, with no life time, for every name; behind a CNAME for
// names that start with "alias.", and behind several for those with "chain.". No packet leaves the process.
func fakeResolver(answer func(name string) []netip.Addr) *net.Resolver {
	return &net.Resolver{
		PreferGo: true,
		Dial: func(context.Context, string, string) (net.Conn, error) {
			ours, theirs := net.Pipe()
			go serveDNS(theirs, answer)
			return ours, nil
		},
	}
}

// serveDNS answers queries with a length in front, as over TCP (RFC 1035, section 4.2.2).
func serveDNS(c net.Conn, answer func(name string) []netip.Addr) {
	defer c.Close()
	for {
		var size [2]byte
		if _, err := io.ReadFull(c, size[:]); err != nil {
			return
		}
		query := make([]byte, binary.BigEndian.Uint16(size[:]))
		if _, err := io.ReadFull(c, query); err != nil {
			return
		}
		reply := replyTo(query, answer)
		if _, err := c.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(reply))), reply...)); err != nil {
			return
		}
	}
}

const (
	typeA     = 1
	typeCNAME = 5
	typeAAAA  = 28
)

func replyTo(query []byte, answer func(name string) []netip.Addr) []byte {
	name, end := questionName(query)
	kind := binary.BigEndian.Uint16(query[end:])
	question := query[12 : end+4]
	var records []byte
	count := uint16(0)
	owner := query[12:end]
	add := func(kind uint16, data []byte) {
		records = append(records, owner...)
		records = binary.BigEndian.AppendUint16(records, kind)
		records = append(records, 0, 1, 0, 0, 0, 0) // class IN, life time 0
		records = binary.BigEndian.AppendUint16(records, uint16(len(data)))
		records = append(records, data...)
		count++
	}
	for _, next := range aliases(name) {
		add(typeCNAME, []byte(next))
		owner = []byte(next)
	}
	for _, addr := range answer(name) {
		if addr.Is4() && kind == typeA || addr.Is6() && kind == typeAAAA {
			add(kind, addr.AsSlice())
		}
	}
	reply := append([]byte{}, query[:2]...)
	reply = append(reply, 0x81, 0x80, 0, 1) // answer, recursion available, one question
	reply = binary.BigEndian.AppendUint16(reply, count)
	reply = append(reply, 0, 0, 0, 0)
	return append(append(reply, question...), records...)
}

// aliases are the names that a name stands for, one behind the other, as they are encoded.
func aliases(name string) []string {
	switch {
	case strings.HasPrefix(name, "alias."):
		return []string{"\x05other\x04test\x00"}
	case strings.HasPrefix(name, "chain."):
		return []string{"\x03one\x04test\x00", "\x03two\x07example\x00", "\x05three\x04test\x00", "\x08internal\x03lan\x00"}
	}
	return nil
}

// questionName returns the name in the question, with a dot at its end, and where its type begins.
func questionName(query []byte) (name string, end int) {
	i := 12
	for query[i] != 0 {
		n := int(query[i])
		name += string(query[i+1:i+1+n]) + "."
		i += 1 + n
	}
	return name, i + 1
}

// A name that leads to no address is known not to lead anywhere the next moment; one that nobody can look up now is not.
func TestANameThatLeadsNowhere(t *testing.T) {
	for name, c := range map[string]struct {
		resolver *net.Resolver
		final    bool
	}{
		"no address": {fakeResolver(func(string) []netip.Addr { return nil }), true},
		"no answer": {&net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
			return nil, errors.New("no name server")
		}}, false},
	} {
		err := get(New(Policy{Resolver: c.resolver}), "https://nowhere.test/")
		final, says := errors.AsType[interface {
			error
			Final() bool
		}](err)
		if err == nil || (says && final.Final()) != c.final {
			t.Errorf("%s: %v, final %v", name, err, says)
		}
	}
}
