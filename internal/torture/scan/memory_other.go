//go:build !linux

package scan

import "errors"

// Memory looks through the memory of a process: on Linux only.
func (s *Scanner) Memory(int) ([]Hit, int64, error) {
	return nil, 0, errors.New("the memory of another process can be read on Linux only")
}
