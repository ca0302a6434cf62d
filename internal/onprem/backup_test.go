package onprem

import (
	"encoding/json"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"kabar/internal/golden"
)

// backupOf makes a backup of settings and returns its data.
func (e *env) backupOf(who, password string) string {
	e.t.Helper()
	w := e.ask(e.as(who), "POST", "/v1/settings/backup", `{"password":"`+password+`"}`)
	var answer struct {
		Settings struct{ Data string } `json:"settings"`
	}
	must(e.t, json.Unmarshal(w.Body.Bytes(), &answer))
	if w.Code != http.StatusOK || answer.Settings.Data == "" {
		e.t.Fatalf("%d %s", w.Code, w.Body)
	}
	return answer.Settings.Data
}

func TestARestoreBringsEverythingBackOrNothing(t *testing.T) {
	e := newEnv(t)
	change := func(settings, profile string) {
		t.Helper()
		for _, w := range []struct{ method, path, body string }{{"PATCH", "/v1/settings/application", settings}, {"POST", "/v1/settings/business/profile", profile}} {
			if w := e.ask(e.as("admin"), w.method, w.path, w.body); w.Code != http.StatusOK {
				t.Fatalf("%d %s", w.Code, w.Body)
			}
		}
	}
	change(`{"callback_backoff_delay_ms":7000,"webhooks":{"url":"https://example.com/a","message":{"sent":true}},"on_call_pager":"one"}`, `{"address":"Jalan 1","vertical":"Restaurant"}`)
	e.ask(e.as("admin"), "POST", "/v1/settings/profile/photo", string(golden.Sample("photo")))
	want, err := e.engine.Portrait(t.Context(), e.a.ID)
	must(t, err)
	data := e.backupOf("admin", "Secret-12")
	if strings.Contains(data, "Jalan") {
		t.Error("the backup can be read")
	}
	change(`{"callback_backoff_delay_ms":9000,"webhooks":{"url":"https://example.com/b"},"on_call_pager":"two"}`, `{"address":"Jalan 2"}`)
	e.ask(e.as("admin"), "DELETE", "/v1/settings/profile/photo", "")
	changed, err := e.engine.Portrait(t.Context(), e.a.ID)
	must(t, err)

	for _, bad := range []struct{ who, body, field string }{
		{"admin", `{"password":"secret-12","data":"` + data + `"}`, "password: "},
		{"admin", `{"password":"Secret-12","data":"` + data[:len(data)-8] + `"}`, "data: is damaged"},
		{"admin", `{"password":"Secret-12","data":"` + data[1:] + `"}`, "data: is damaged"},
		{"other", `{"password":"Secret-12","data":"` + data + `"}`, "another number"},
	} {
		if w := e.ask(e.as(bad.who), "POST", "/v1/settings/restore", bad.body); w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), bad.field) {
			t.Errorf("%s: %d %s", bad.field, w.Code, w.Body)
		}
	}
	if now, err := e.engine.Portrait(t.Context(), e.a.ID); err != nil || !reflect.DeepEqual(now, changed) {
		t.Errorf("what was refused has changed something: %+v, %v", now, err)
	}
	before, err := e.engine.Number(e.a.ID)
	must(t, err)
	if w := e.ask(e.as("admin"), "POST", "/v1/settings/restore", `{"password":"Secret-12","data":"`+data+`"}`); w.Code != http.StatusOK {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if now, err := e.engine.Portrait(t.Context(), e.a.ID); err != nil || !reflect.DeepEqual(now, want) {
		t.Errorf("restored is %+v, %v", now, err)
	}
	after, err := e.engine.Number(e.a.ID)
	must(t, err)
	if s, err := e.engine.Settings(e.a.ID); err != nil || s.BackoffStep.Seconds() != 7 || after.ProfileVersion <= before.ProfileVersion {
		t.Errorf("the engine goes by %+v, version %d, %v", s, after.ProfileVersion, err)
	}
}

func TestOneBackupAtATime(t *testing.T) {
	e := newEnv(t)
	e.api.deriving <- struct{}{}
	if w := e.ask(e.as("admin"), "POST", "/v1/settings/backup", `{"password":"x"}`); w.Code != http.StatusTooManyRequests {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	<-e.api.deriving
	e.backupOf("admin", "x")
}
