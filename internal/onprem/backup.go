package onprem

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"kabar"
	"kabar/internal/engine"
	"kabar/internal/secrets"
	"kabar/internal/web"
)

// backupPurpose is what a backup of settings is sealed for.
const backupPurpose = "onprem/settings backup"

// maxPassword is how many bytes the password of a backup may have.
const maxPassword = 256

// settingsBackup is the plain text of a backup: what has been set of a number, and the keys by which its network knows it
// (contract 1.8). Messages, events, sessions and users are not in it.
type settingsBackup struct {
	Number string `json:"number"`
	*engine.Portrait
}

// backup: POST /v1/settings/backup answers what has been set, sealed under a key derived from the password.
func (a *API) backup(x *exchange) error {
	var body struct {
		Password string `json:"password"`
	}
	release, err := a.passwordOf(x, &body, &body.Password)
	if err != nil {
		return err
	}
	defer release()
	n, err := a.engine.Number(x.number())
	if err != nil {
		return err
	}
	p, err := a.engine.Portrait(x.r.Context(), x.number())
	if err != nil {
		return err
	}
	plain, err := json.Marshal(settingsBackup{n.Digits, p})
	if err != nil {
		return fmt.Errorf("encode a backup of settings: %w", err)
	}
	sealed := secrets.SealWithPassword(body.Password, backupPurpose, plain)
	return x.reply("settings", map[string]string{"data": base64.StdEncoding.EncodeToString(sealed)})
}

// restore: POST /v1/settings/restore replaces all that has been set by what a backup of the same number holds, or nothing.
// On a server that the number is not registered at, it is registered from then on, with the keys of the backup.
func (a *API) restore(x *exchange) error {
	var body struct {
		Password string `json:"password"`
		Data     string `json:"data"` // base64
	}
	release, err := a.passwordOf(x, &body, &body.Password)
	if err != nil {
		return err
	}
	defer release()
	if body.Data == "" {
		return kabar.Refuse(kabar.ReasonMissing, "data", "is required: what a backup has answered")
	}
	saved, err := openBackup(body.Password, body.Data)
	if err != nil {
		return err
	}
	n, err := a.engine.Number(x.number())
	if err != nil {
		return err
	}
	if saved.Number != n.Digits {
		return kabar.Refuse(kabar.ReasonInvalid, "data", "is the backup of another number")
	}
	if saved.URL != "" {
		if err := a.checkURL(saved.URL); err != nil {
			return kabar.Refuse(kabar.ReasonInvalid, "data", "its webhook is not allowed on this server: %s", err.Error())
		}
	}
	if err := a.engine.SetPortrait(x.r.Context(), x.number(), saved.Portrait); err != nil {
		return err
	}
	return x.done()
}

func openBackup(password, data string) (*settingsBackup, error) {
	damaged := kabar.Refuse(kabar.ReasonInvalid, "data", "is damaged, or no backup of settings")
	sealed, err := base64.StdEncoding.Strict().DecodeString(data)
	if err != nil {
		return nil, damaged
	}
	plain, err := secrets.OpenWithPassword(password, backupPurpose, sealed)
	if errors.Is(err, secrets.ErrPassword) {
		return nil, kabar.Refuse(kabar.ReasonInvalid, "password", "is not the one the backup was made with")
	}
	saved := &settingsBackup{}
	if err != nil || json.Unmarshal(plain, saved) != nil || saved.Portrait == nil {
		return nil, damaged
	}
	return saved, nil
}

// passwordOf reads the body and lets one caller at a time derive a key from the password in it, until release is called: that
// takes 64 MiB.
func (a *API) passwordOf(x *exchange, body any, password *string) (release func(), err error) {
	if err := web.DecodeRequest(x.w, x.r, body, web.Options{}); err != nil {
		return nil, err
	}
	switch n := len(*password); {
	case n == 0:
		return nil, kabar.Refuse(kabar.ReasonMissing, "password", "is required")
	case n > maxPassword:
		return nil, kabar.Refuse(kabar.ReasonInvalid, "password", "has %d bytes, the limit is %d", n, maxPassword)
	}
	select {
	case a.deriving <- struct{}{}:
		return func() { <-a.deriving }, nil
	default:
		return nil, &kabar.Error{Reason: kabar.ReasonTooMany, Detail: "another backup is being made or restored", After: time.Second}
	}
}
