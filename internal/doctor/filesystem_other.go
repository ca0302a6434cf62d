//go:build !linux

package doctor

// filesystem does not know.
func filesystem(string) (name string, remote bool) { return "", false }
