package doctor_test

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"kabar/internal/doctor"
)

// run returns what a check finds.
func run(t testing.TB, c doctor.Check) doctor.Result {
	t.Helper()
	return c.Run(t.Context())
}

// want checks the level of a result, and that its detail and its fix hold some words. What is not well has a fix.
func want(t testing.TB, what string, r doctor.Result, level doctor.Level, detail, fix string) {
	t.Helper()
	if r.Level != level || !strings.Contains(r.Detail, detail) || !strings.Contains(r.Fix, fix) {
		t.Errorf("%s: %+v; want %s, %q, %q", what, r, level, detail, fix)
	}
	if r.Detail == "" || (r.Level == doctor.Warn || r.Level == doctor.Fail) != (r.Fix != "") {
		t.Errorf("%s: %+v: detail or fix is missing, or there is nothing to fix", what, r)
	}
}

func TestRunKeepsTheOrderAndEndsInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		lines := doctor.Run(t.Context(), []doctor.Check{
			{Name: "slow", Run: func(ctx context.Context) doctor.Result { <-ctx.Done(); return doctor.Skipped("%v", ctx.Err()) }},
			doctor.Known("quick", doctor.Fine("%d", 1)),
		})
		if len(lines) != 2 || lines[0].Name != "slow" || lines[0].Level != doctor.Skip || lines[1].Detail != "1" {
			t.Errorf("%+v", lines)
		}
		if took := time.Since(start); took != 10*time.Second {
			t.Errorf("took %s", took)
		}
	})
}

func lines() []doctor.Line {
	return []doctor.Line{
		{"disk", doctor.Fine("much")},
		{"data folder", doctor.Result{Level: doctor.Warn, Detail: "open\nFAIL  forged", Fix: "chmod 700 x"}},
		{"relay", doctor.Skipped("not asked")},
	}
}

func TestWrite(t *testing.T) {
	var b bytes.Buffer
	all := append(lines(), doctor.Line{"store", doctor.Result{Level: doctor.Fail, Detail: "gone", Fix: "look"}})
	if err := doctor.Write(&b, all); err != nil {
		t.Fatal(err)
	}
	const want = `ok    disk         much
warn  data folder  open FAIL forged
                   fix: chmod 700 x
-     relay        not asked
FAIL  store        gone
                   fix: look
`
	if b.String() != want {
		t.Errorf("got\n%swant\n%s", b.String(), want)
	}
	if doctor.Healthy(all) || !doctor.Healthy(lines()) || !doctor.Healthy(nil) {
		t.Error("only what has failed is not healthy")
	}
}

func TestWriteJSON(t *testing.T) {
	var b bytes.Buffer
	if err := doctor.WriteJSON(&b, lines()); err != nil {
		t.Fatal(err)
	}
	var got struct {
		Healthy bool
		Checks  []doctor.Line
	}
	if err := json.Unmarshal(b.Bytes(), &got); err != nil || !got.Healthy || len(got.Checks) != 3 || got.Checks[1] != lines()[1] {
		t.Errorf("%v: %+v", err, got)
	}
}
