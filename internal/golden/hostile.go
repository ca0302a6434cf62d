package golden

import (
	"bytes"
	"math/rand/v2"
	"regexp"
	"strconv"
	"strings"
)

// Attack makes the JSON body of a request hostile.
type Attack struct {
	Name   string
	Spoils bool // whatever it makes must be refused, but for what a dialect tolerates: unknown names
	Make   func(r *rand.Rand, body []byte) []byte
}

// Attacks are what is done to the bodies of requests that are right, one thing at a time.
func Attacks() []Attack {
	wrong := []string{`null`, `true`, `-1`, `1e999`, `""`, `"\u0000"`, `[]`, `{}`, `[[[]]]`, `"` + strings.Repeat("x", 5000) + `"`, `9007199254740993`, `0.1`}
	value := regexp.MustCompile(`:\s*("(?:[^"\\]|\\.)*"|-?[0-9.]+|true|false|null)`)
	name := regexp.MustCompile(`"[a-z_]+"\s*:`)
	replaced := func(r *rand.Rand, re *regexp.Regexp, body []byte, by string) []byte {
		all := re.FindAllIndex(body, -1)
		if len(all) == 0 {
			return []byte(by)
		}
		at := all[r.IntN(len(all))]
		return bytes.Join([][]byte{body[:at[0]], []byte(by), body[at[1]:]}, nil)
	}
	return []Attack{
		{"wrong type", false, func(r *rand.Rand, body []byte) []byte {
			return replaced(r, value, body, ":"+wrong[r.IntN(len(wrong))])
		}},
		{"missing key", false, func(r *rand.Rand, body []byte) []byte {
			return replaced(r, name, body, `"x_`+strconv.Itoa(r.IntN(99))+`":`)
		}},
		{"whole of another type", false, func(r *rand.Rand, _ []byte) []byte { return []byte(wrong[r.IntN(len(wrong))]) }},
		{"extra key", true, func(_ *rand.Rand, body []byte) []byte { return opened(body, `"no_such_key":1,`) }},
		{"duplicate key", true, func(_ *rand.Rand, body []byte) []byte { return opened(body, `"twice":1,"twice":2,`) }},
		{"deep nesting", true, func(r *rand.Rand, body []byte) []byte {
			n := 40 + r.IntN(20000)
			return opened(body, `"deep":`+strings.Repeat("[", n)+strings.Repeat("]", n)+",")
		}},
		{"huge body", true, func(_ *rand.Rand, body []byte) []byte {
			return opened(body, `"huge":"`+strings.Repeat("x", 1<<20)+`",`)
		}},
		{"bad UTF-8", true, func(_ *rand.Rand, body []byte) []byte { return opened(body, "\"bad\":\"\xff\xfe\",") }},
		{"cut off", true, func(r *rand.Rand, body []byte) []byte { return body[:r.IntN(len(body))] }},
		{"two values", true, func(_ *rand.Rand, body []byte) []byte { return append(bytes.Clone(body), body...) }},
		{"no JSON", true, func(r *rand.Rand, _ []byte) []byte {
			b := make([]byte, 1+r.IntN(300))
			for i := range b {
				b[i] = byte(r.Uint32())
			}
			return append([]byte("<"), b...)
		}},
	}
}

// opened puts text at the beginning of the first object of a body.
func opened(body []byte, text string) []byte {
	before, rest, ok := bytes.Cut(body, []byte("{"))
	if !ok {
		return []byte("{" + text + `"end":0}`)
	}
	if trimmed := bytes.TrimSpace(rest); bytes.HasPrefix(trimmed, []byte("}")) {
		text = strings.TrimSuffix(text, ",")
	}
	return bytes.Join([][]byte{before, []byte("{"), []byte(text), rest}, nil)
}
