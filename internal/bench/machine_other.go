//go:build !linux

package bench

// filesystem does not know.
func filesystem(string) string { return unknown }
