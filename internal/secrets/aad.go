package secrets

import (
	"encoding/binary"
	"fmt"
	"reflect"
)

// AAD encodes the place of a record, its table and the parts of its key, as additional data. Two places have the same
// encoding only if they have the same table and equal parts in the same order. A part is an integer or a string of any
// (named) type; integers of equal value are equal whatever their width. A part of another type is a mistake in the
// program and panics.
func AAD(table string, key ...any) []byte {
	b := make([]byte, 0, 2+len(table)+12*len(key))
	b = appendString(b, table)
	for _, part := range key {
		b = appendPart(b, part)
	}
	return b
}

// Each part starts with its kind, so that the integer 1 and the string "1" differ.
const (
	partNatural  = 'u' // 8 bytes, big-endian
	partNegative = 'n' // 8 bytes, big-endian two's complement
	partString   = 's' // length, bytes
)

func appendPart(b []byte, part any) []byte {
	switch p := part.(type) { // without reflection for the common types
	case string:
		return appendString(append(b, partString), p)
	case int64:
		return appendInt(b, p)
	case int:
		return appendInt(b, int64(p))
	}
	v := reflect.ValueOf(part)
	switch {
	case v.Kind() == reflect.String:
		return appendString(append(b, partString), v.String())
	case v.CanInt():
		return appendInt(b, v.Int())
	case v.CanUint():
		return binary.BigEndian.AppendUint64(append(b, partNatural), v.Uint())
	}
	panic(fmt.Sprintf("secrets: AAD of a %T; want an integer or a string", part))
}

func appendInt(b []byte, n int64) []byte {
	kind := byte(partNatural)
	if n < 0 {
		kind = partNegative
	}
	return binary.BigEndian.AppendUint64(append(b, kind), uint64(n))
}

func appendString(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}
