package engine_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"testing/iotest"
	"time"

	"kabar"
	"kabar/internal/golden"
	"kabar/internal/patience"
	"kabar/internal/store"
)

func (v *env) begin(mime string, length int) *store.UploadSession {
	v.t.Helper()
	u, err := v.e.BeginUpload(v.t.Context(), v.id, "file", mime, int64(length))
	if err != nil {
		v.t.Fatal(err)
	}
	return u
}

// countFiles returns how many files lie in the media folder.
func (v *env) countFiles() int {
	v.t.Helper()
	all, err := os.ReadDir(filepath.Join(v.dir, "media"))
	if err != nil {
		v.t.Error(err)
	}
	return len(all)
}

func (v *env) wantFiles(want int) {
	v.t.Helper()
	if got := v.countFiles(); got != want {
		v.t.Errorf("%d files, want %d", got, want)
	}
}

func TestAnUploadThatBreaksOffGoesOn(t *testing.T) {
	v := newEnv(t)
	whole := golden.Sample("photo")
	u := v.begin("image/png", len(whole))
	broken := io.MultiReader(bytes.NewReader(whole[:50]), iotest.ErrReader(errors.New("the line is cut")))
	if _, err := v.e.ContinueUpload(t.Context(), v.id, u.ID, 0, broken); !refusedFor(err, kabar.ReasonMalformed) {
		t.Errorf("a body that breaks off: %v", err)
	}
	v.restart()
	if u, err := v.e.UploadSession(t.Context(), v.id, u.ID); err != nil || u.Offset != 50 || u.File != 0 {
		t.Fatalf("after a restart: %+v, %v", u, err)
	}
	if _, err := v.e.ContinueUpload(t.Context(), v.id, u.ID, 0, bytes.NewReader(whole)); !refusedFor(err, kabar.ReasonInvalid) {
		t.Errorf("at another place: %v", err)
	}
	for at := 50; at < len(whole); at += 40 {
		var err error
		if u, err = v.e.ContinueUpload(t.Context(), v.id, u.ID, int64(at), bytes.NewReader(whole[at:min(at+40, len(whole))])); err != nil {
			t.Fatal(err)
		}
	}
	r, err := v.e.Uploaded(t.Context(), u)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, whole) {
		t.Errorf("%d bytes, %v, want %d", len(got), err, len(whole))
	}
	if again, err := v.e.ContinueUpload(t.Context(), v.id, u.ID, u.Length, bytes.NewReader(nil)); err != nil || again.File != u.File {
		t.Errorf("asked again: %+v, %v", again, err)
	}
}

// TestOfTwoAtOnePlaceOneIsTaken has two clients bring the same bytes: what is not taken leaves no file.
func TestOfTwoAtOnePlaceOneIsTaken(t *testing.T) {
	v := newEnv(t)
	whole := golden.Sample("photo")
	u := v.begin("image/png", len(whole))
	done := make(chan error, 6)
	for range cap(done) {
		go func() {
			_, err := v.e.ContinueUpload(t.Context(), v.id, u.ID, 0, bytes.NewReader(whole))
			done <- err
		}()
	}
	taken := 0
	for range cap(done) {
		if err := <-done; err == nil {
			taken++
		} else if !refusedFor(err, kabar.ReasonInvalid) {
			t.Error(err)
		}
	}
	if u, err := v.e.UploadSession(t.Context(), v.id, u.ID); err != nil || taken == 0 || u.Offset != int64(len(whole)) {
		t.Errorf("%d were taken, %+v, %v", taken, u, err)
	}
	v.wantFiles(1)
}

func TestWhatIsLeftOfUploadsIsRemoved(t *testing.T) {
	v := newEnv(t)
	whole := golden.Sample("photo")
	bad := v.begin("image/png", 6)
	if _, err := v.e.ContinueUpload(t.Context(), v.id, bad.ID, 0, bytes.NewReader([]byte("no png"))); !refusedFor(err, kabar.ReasonInvalid) {
		t.Errorf("bytes of another type: %v", err)
	}
	if _, err := v.e.UploadSession(t.Context(), v.id, bad.ID); !refusedFor(err, kabar.ReasonNotFound) {
		t.Errorf("the upload is there: %v", err)
	}
	v.wantFiles(0)
	done, half := v.begin("image/png", len(whole)), v.begin("image/png", len(whole))
	for u, part := range map[*store.UploadSession][]byte{done: whole, half: whole[:50]} {
		if _, err := v.e.ContinueUpload(t.Context(), v.id, u.ID, 0, bytes.NewReader(part)); err != nil {
			t.Fatal(err)
		}
	}
	v.wantFiles(2)
	v.skew.Add(int64(31 * 24 * time.Hour))
	v.restart() // which sweeps
	patience.Until(t, "the uploads have gone", func() bool { return v.countFiles() == 0 })
	if all, err := v.db.ExpiredUploadSessions(t.Context(), v.now()); err != nil || len(all) > 0 {
		t.Errorf("%d uploads, %v", len(all), err)
	}
}
