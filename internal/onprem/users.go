package onprem

import (
	"errors"

	"kabar/internal/auth"
	"kabar/internal/web"
)

// loginRequest is the optional body of a login.
type loginRequest struct {
	NewPassword string `json:"new_password"`
}

// session is a token as a login answers it.
type session struct {
	Token        string `json:"token"`
	ExpiresAfter string `json:"expires_after"`
}

// expiresLayout is how the end of a token is written: UTC, a space between date and time.
const expiresLayout = "2006-01-02 15:04:05+00:00"

// login: POST /v1/users/login (contract 1.1).
func (a *API) login(x *exchange) error {
	var body loginRequest
	err := x.decode(&body)
	var fault *web.Error
	if err != nil && !(errors.As(err, &fault) && fault.Kind == web.Empty) {
		return err
	}
	name, password, _ := x.r.BasicAuth()
	t, err := a.auth.Login(x.r.Context(), auth.Credentials{User: name, Password: password, NewPassword: body.NewPassword,
		From: auth.AddressOf(x.r)})
	if err != nil {
		return err
	}
	return x.reply("users", []session{{t.Token, t.Expires.UTC().Format(expiresLayout)}})
}

// logout: POST /v1/users/logout ends the session of the token it came with. A body is not looked at.
func (a *API) logout(x *exchange) error {
	if err := a.auth.Logout(x.r.Context(), x.who); err != nil {
		return err
	}
	return x.done()
}
