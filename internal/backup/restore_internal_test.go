package backup

import (
	"strings"
	"testing"
)

func TestANewerSchemaNamesItsProgram(t *testing.T) {
	err := refuseSchema(&Manifest{Schema: 1000, Program: "9.9.9"})
	if err == nil || !strings.Contains(err.Error(), "kabar 9.9.9") {
		t.Errorf("refuseSchema = %v", err)
	}
	if err := refuseSchema(&Manifest{Schema: 1}); err != nil {
		t.Errorf("an older schema: %v", err)
	}
}
