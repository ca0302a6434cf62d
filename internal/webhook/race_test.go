//go:build race

package webhook_test

// scale makes tests of size smaller, because the race detector makes them slower.
const scale = 10
