package onprem

import (
	"errors"

	"kabar"
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
	if fault := web.Fault(err); err != nil && (fault == nil || fault.Kind != web.Empty) {
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

// userRequest is the body of the calls that make and change users.
type userRequest struct {
	Username string `json:"username"`
	Password string `json:"password"`
}

// userShown is a user as a look at one answers it; named is one as all else does.
type (
	userShown struct {
		Roles    string `json:"ROLES"`
		Username string `json:"username"`
	}
	named struct {
		Username string `json:"username"`
	}
)

// addUser: POST /v1/users makes a user of the number, who is no administrator.
func (a *API) addUser(x *exchange) error {
	var body userRequest
	if err := x.decode(&body); err != nil {
		return err
	}
	switch {
	case body.Username == "":
		return kabar.Refuse(kabar.ReasonMissing, "username", "is required")
	case body.Password == "":
		return kabar.Refuse(kabar.ReasonMissing, "password", "is required")
	}
	number, err := a.engine.Number(x.number())
	if err != nil {
		return err
	}
	err = a.auth.AddUser(x.r.Context(), auth.NewUser{Number: number, Name: body.Username, Password: body.Password, Role: auth.RoleUser})
	if refused, ok := errors.AsType[*kabar.Error](err); ok && refused.Reason == kabar.ReasonUserExists {
		return kabar.Refuse(kabar.ReasonUserExists, "", "Unable to create user. Already exist?")
	}
	if err != nil {
		return err
	}
	return x.made("users", []named{{body.Username}})
}

// showUser: GET /v1/users/{username}.
func (a *API) showUser(x *exchange) error {
	name := x.r.PathValue("username")
	role, err := a.auth.UserOf(x.r.Context(), x.number(), name)
	if err != nil {
		return err
	}
	return x.reply("users", []userShown{{role, name}})
}

// changeUser: PUT /v1/users/{username} sets a password. Users change their own and go on with the tokens they have; the
// administrator changes everybody's, and that ends the other's tokens: whoever was shut out is out.
func (a *API) changeUser(x *exchange) error {
	var body struct {
		Password string `json:"password"`
	}
	if err := x.decode(&body); err != nil {
		return err
	}
	name, own := x.r.PathValue("username"), x.r.PathValue("username") == x.who.User
	if !own && x.who.Role != auth.RoleAdmin {
		return kabar.Refuse(kabar.ReasonDenied, "", "only the administrator changes the password of somebody else")
	}
	if body.Password == "" {
		return kabar.Refuse(kabar.ReasonMissing, "password", "is required")
	}
	_, err := a.auth.UserOf(x.r.Context(), x.number(), name)
	switch {
	case err != nil:
	case own:
		err = a.auth.ChangePassword(x.r.Context(), x.who, body.Password)
	default:
		err = a.auth.SetPassword(x.r.Context(), name, body.Password, false)
	}
	if err != nil {
		return err
	}
	return x.reply("users", []named{{name}})
}

// removeUser: DELETE /v1/users/{username}. Administrators stay: kabar user remove is for those.
func (a *API) removeUser(x *exchange) error {
	name := x.r.PathValue("username")
	role, err := a.auth.UserOf(x.r.Context(), x.number(), name)
	if err != nil {
		return err
	}
	if role == auth.RoleAdmin {
		return kabar.Refuse(kabar.ReasonDenied, "", "the administrator cannot be deleted")
	}
	if err := a.auth.RemoveUser(x.r.Context(), name, false); err != nil {
		return err
	}
	return x.reply("users", []named{{name}})
}
