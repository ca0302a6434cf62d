package main

import (
	"errors"
	"strings"
	"testing"
)

// The name of a certificate is text on one line. What was no UTF-8 on the command line arrives as what stands for it.
func TestTheNameOfACertificate(t *testing.T) {
	for name, good := range map[string]bool{
		"": true, "Kabar Coffee": true, "Café Ночь": true,
		"a\nb": false, "a\xff": false, "a\ufffd": false, strings.Repeat("x", 129): false,
	} {
		err := (&certFlag{Name: name}).checkName()
		if _, usage := errors.AsType[*usageError](err); usage == good || err != nil && !usage {
			t.Errorf("%.20q: %v", name, err)
		}
	}
}
