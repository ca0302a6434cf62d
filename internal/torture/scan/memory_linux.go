package scan

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// Memory looks through the memory of a process that can be written: its heap, its stacks, what it has mapped. It returns
// how many bytes it has read. The process must be ours, or we root.
func (s *Scanner) Memory(pid int) (hits []Hit, read int64, err error) {
	maps, err := os.Open(fmt.Sprintf("/proc/%d/maps", pid))
	if err != nil {
		return nil, 0, err
	}
	defer func() { _ = maps.Close() }() // read only
	mem, err := os.Open(fmt.Sprintf("/proc/%d/mem", pid))
	if err != nil {
		return nil, 0, err
	}
	defer func() { _ = mem.Close() }() // read only
	lines := bufio.NewScanner(maps)
	for lines.Scan() {
		var from, to int64
		var mode string
		if _, err := fmt.Sscanf(lines.Text(), "%x-%x %s", &from, &to, &mode); err != nil || !strings.HasPrefix(mode, "rw") {
			continue
		}
		n, found := s.region(mem, fmt.Sprintf("memory of process %d", pid), from, to)
		read += n
		hits = append(hits, found...)
	}
	if read == 0 {
		return nil, 0, errors.New("no memory could be read")
	}
	return hits, read, lines.Err()
}

// piece is how much memory is looked at together; pieces overlap.
const piece = 16 << 20

// region looks through a part of the memory, as far as it can be read.
func (s *Scanner) region(mem io.ReaderAt, place string, from, to int64) (read int64, hits []Hit) {
	buf := make([]byte, min(piece, to-from))
	for at := from; at < to; at += piece - 4096 {
		n, err := mem.ReadAt(buf[:min(int64(len(buf)), to-at)], at)
		if n == 0 {
			return read, hits // reserved, and never used
		}
		read += int64(n)
		hits = append(hits, s.Bytes(place, buf[:n], false)...)
		if err != nil || at+int64(n) >= to {
			return read, hits
		}
	}
	return read, hits
}
