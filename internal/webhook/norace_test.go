//go:build !race

package webhook_test

// scale is what tests of size are divided by.
const scale = 1
