package main

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// duration is a flag's value in Go's units and in days and weeks: 90d, 1w2d, 1.5h, 250ms. A day has 24 hours. It is never
// negative; 0 needs no unit. The longest is about 292 years.
type duration time.Duration

var (
	durationForm = regexp.MustCompile(`^([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h|d|w))+$`)
	durationPart = regexp.MustCompile(`([0-9.]+)([a-zµ]+)`)
)

var errDuration = errors.New("want a duration such as 90d, 2w, 12h, 1h30m, 45s or 250ms")

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *duration) UnmarshalText(text []byte) error {
	s := string(text)
	if s == "0" {
		*d = 0
		return nil
	}
	if !durationForm.MatchString(s) {
		return fmt.Errorf("%q: %w", s, errDuration)
	}
	var sum time.Duration
	for _, part := range durationPart.FindAllStringSubmatch(s, -1) {
		one, err := parsePart(part[1], part[2])
		if err != nil || one > math.MaxInt64-sum {
			return fmt.Errorf("%q is too long: %w", s, errDuration)
		}
		sum += one
	}
	*d = duration(sum)
	return nil
}

// parsePart reads one number with its unit.
func parsePart(number, unit string) (time.Duration, error) {
	times := map[string]time.Duration{"d": 24, "w": 7 * 24}[unit]
	if times == 0 {
		return time.ParseDuration(number + unit)
	}
	hours, err := time.ParseDuration(number + "h")
	if err != nil || hours > math.MaxInt64/times {
		return 0, errDuration
	}
	return hours * times, nil
}

// String writes whole days as days, and all else as Go does.
func (d duration) String() string {
	const day = 24 * time.Hour
	if t := time.Duration(d); t != 0 && t%day == 0 {
		return strconv.FormatInt(int64(t/day), 10) + "d"
	}
	return time.Duration(d).String()
}

// instant is a flag's value that is a moment.
type instant time.Time

// UnmarshalText implements encoding.TextUnmarshaler.
func (i *instant) UnmarshalText(text []byte) error {
	t, err := time.Parse(time.RFC3339, string(text))
	if err != nil {
		return fmt.Errorf("%.40q: want a day and a time with its zone, such as 2031-05-02T10:15:00Z or 2031-05-02T17:15:00+07:00", text)
	}
	*i = instant(t)
	return nil
}

// size is a flag's value in bytes: 512, 64KB, 1.5MB, 2GB by thousands; 64KiB, 16MiB, 1GiB by 1,024. It is never negative; a
// part of a byte is refused.
type size int64

var sizeUnits = []struct {
	name  string
	bytes int64
}{{"GiB", 1 << 30}, {"GB", 1e9}, {"MiB", 1 << 20}, {"MB", 1e6}, {"KiB", 1 << 10}, {"KB", 1e3}, {"B", 1}}

var sizeForm = regexp.MustCompile(`^[0-9]{1,30}(\.[0-9]{1,30})?$`)

// UnmarshalText implements encoding.TextUnmarshaler.
func (n *size) UnmarshalText(text []byte) error {
	s := string(text)
	number, bytes := s, int64(1)
	for _, u := range sizeUnits {
		if rest, ok := strings.CutSuffix(s, u.name); ok {
			number, bytes = rest, u.bytes
			break
		}
	}
	r, ok := new(big.Rat).SetString(number)
	if !ok || !sizeForm.MatchString(number) {
		return fmt.Errorf("%q: want a size such as 512KB, 64MB, 2GB, 16MiB or 1GiB", s)
	}
	r.Mul(r, new(big.Rat).SetInt64(bytes))
	if !r.IsInt() || !r.Num().IsInt64() {
		return fmt.Errorf("%q: want a whole number of bytes, at most 8 EiB", s)
	}
	*n = size(r.Num().Int64())
	return nil
}

// String writes the size in the largest unit that leaves a whole number.
func (n size) String() string {
	for _, u := range sizeUnits {
		if n != 0 && int64(n)%u.bytes == 0 {
			return strconv.FormatInt(int64(n)/u.bytes, 10) + u.name
		}
	}
	return "0"
}
