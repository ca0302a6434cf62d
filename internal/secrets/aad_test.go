package secrets

import (
	"bytes"
	"fmt"
	"reflect"
	"testing"

	"pgregory.net/rapid"
)

func TestAADTellsPlacesApart(t *testing.T) {
	places := [][]any{
		{"t"}, {"t", ""}, {"t", "", ""}, {"", "t"}, {""},
		{"t", 1}, {"t", "1"}, {"t", 1, 1}, {"t", 11}, {"t", "11"}, {"t", "1", "1"},
		{"t", -1}, {"t", uint64(1<<64 - 1)}, {"t", 0}, {"t", int64(-1 << 63)}, {"t", uint64(1 << 63)},
		{"ta", "b"}, {"t", "ab"}, {"t", "a", "b"}, {"t", "a\x00b"}, {"t", "as\x01b"}, {"ts\x01a"},
		{"t", 1, "a"}, {"t", "a", 1}, {"T", 1},
	}
	seen := map[string]int{}
	for i, p := range places {
		aad := string(AAD(p[0].(string), p[1:]...))
		if j, ok := seen[aad]; ok {
			t.Errorf("%q and %q have the same encoding", places[j], p)
		}
		seen[aad] = i
	}
}

type (
	namedString string
	namedInt    int32
	namedUint   uint8
)

func TestAADIgnoresWidthAndName(t *testing.T) {
	want := AAD("t", "a", 5)
	for _, key := range [][]any{{namedString("a"), 5}, {"a", int64(5)}, {"a", uint64(5)}, {"a", namedInt(5)}, {"a", namedUint(5)}} {
		if got := AAD("t", key...); !bytes.Equal(got, want) {
			t.Errorf("AAD(%T %T) = %x, want %x", key[0], key[1], got, want)
		}
	}
}

// Two drawn places have equal encodings exactly when they are equal.
func TestAADIsInjective(t *testing.T) {
	part := rapid.OneOf(
		rapid.Custom(func(t *rapid.T) any { return rapid.StringMatching(`[su\x00\x01]{0,9}`).Draw(t, "s") }),
		rapid.Custom(func(t *rapid.T) any { return int64(rapid.IntRange(-2, 300).Draw(t, "i")) }),
	)
	place := rapid.SliceOfN(part, 0, 4)
	rapid.Check(t, func(t *rapid.T) {
		a, b := place.Draw(t, "a"), place.Draw(t, "b")
		if same := bytes.Equal(AAD("t", a...), AAD("t", b...)); same != reflect.DeepEqual(a, b) {
			t.Fatalf("%#v and %#v: same encoding %v", a, b, same)
		}
	})
}

func TestAADRefusesOtherTypes(t *testing.T) {
	for _, part := range []any{1.5, nil, []byte("x"), true, struct{}{}} {
		t.Run(fmt.Sprintf("%T", part), func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("encoded a part it cannot tell apart")
				}
			}()
			AAD("t", part)
		})
	}
}
