package library_test

import (
	"testing"

	"kabar"
	"kabar/internal/library"
)

// Every item is a draft that review has nothing against, in both languages, and one has a medium.
func TestLibrary(t *testing.T) {
	all, err := library.Items()
	if err != nil {
		t.Fatal(err)
	}
	media, seen := 0, map[string]int{}
	for i := range all {
		d := &all[i]
		if faults := d.Lint(); len(faults) > 0 {
			t.Errorf("%s in %s: %v", d.Name, d.Language, faults)
		}
		if v := d.Assess(nil); v.Reject != "" || v.Category != "" {
			t.Errorf("%s in %s: %+v", d.Name, d.Language, v)
		}
		if d.Components[0].Format == kabar.FormatDocument {
			media++
		}
		if d.Topic == "" || d.UseCase == "" || len(d.Industry) == 0 || len(d.Types) == 0 || d.Library != d.Name {
			t.Errorf("%s in %s says too little", d.Name, d.Language)
		}
		seen[d.Name]++
	}
	if len(seen) != 4 || seen["appointment_reminder"] != 2 || media != 2 || len(all) != 8 {
		t.Errorf("%v, %d with a medium", seen, media)
	}
	if d, err := library.Find("payment_update", "id"); err != nil || d == nil || d.Language != "id" {
		t.Errorf("%+v, %v", d, err)
	}
	if d, _ := library.Find("payment_update", "fr"); d != nil {
		t.Errorf("%+v", d)
	}
}
