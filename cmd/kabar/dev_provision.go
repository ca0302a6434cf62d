package main

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"kabar"
	"kabar/internal/auth"
	"kabar/internal/engine"
	"kabar/internal/phone"
	"kabar/internal/secrets"
)

// What kabar dev begins with.
const (
	devNumber   = "628111000200"
	devBusiness = "Kabar Coffee"
)

// devCustomers are the people one can be at the first start.
func devCustomers() []phone.NewCustomer {
	return []phone.NewCustomer{{Name: "Ana", WaID: "34600111222"}, {Name: "Budi", WaID: "6281234567890"}, {Name: "Citra", WaID: "6285712345678"}}
}

func devProfile() kabar.Profile {
	return kabar.Profile{Name: devBusiness, Description: "A made-up coffee house that answers through your own code.",
		Address: "Jalan Kabar 1, Yogyakarta", Websites: []string{"https://coffee.example"}}
}

// helloKabar is the approved template that every new development number begins with.
func helloKabar() *kabar.TemplateDef {
	return &kabar.TemplateDef{Name: "hello_kabar", Language: "en", Category: kabar.CategoryUtility, Status: kabar.TemplateApproved,
		Components: []kabar.TemplateComponent{
			{Type: kabar.TemplateBody, Text: "Hello from Kabar! Your first template message has arrived. Answer it, and the 24-hour window opens."},
		}}
}

// orderKabar is an approved template with something to fill in: a name, an amount, a day, and the order's page.
func orderKabar() *kabar.TemplateDef {
	return &kabar.TemplateDef{Name: "order_kabar", Language: "en", Category: kabar.CategoryUtility, Status: kabar.TemplateApproved,
		Components: []kabar.TemplateComponent{
			{Type: kabar.TemplateBody, Text: "Hi {{1}}, thank you for your order of {{2}}. It is ready on {{3}}."},
			{Type: kabar.TemplateFooter, Text: devBusiness},
			{Type: kabar.TemplateButtons, Buttons: []kabar.TemplateButton{
				{Type: kabar.ButtonQuickReply, Text: "Change my order"},
				{Type: kabar.ButtonURL, Text: "See my order", URL: "https://coffee.example/orders/{{1}}"},
			}},
		}}
}

// credentials are kept with a development folder, so that every start prints the same ones.
type credentials struct {
	Password string `json:"password"`
	APIKey   string `json:"api_key"`
	Token    string `json:"access_token"` // of the Cloud API
}

// devCredentials reads them, or makes them at the first start.
func devCredentials(dir string) (credentials, error) {
	var c credentials
	file := filepath.Join(dir, "credentials.json")
	text, err := os.ReadFile(file)
	switch {
	case err == nil:
		if err := json.Unmarshal(text, &c); err != nil || c.Token != "" {
			return c, err
		}
		c.Token = auth.NewKey() // a folder from before the Cloud API
	case errors.Is(err, fs.ErrNotExist):
		c = credentials{auth.RandomPassword(), auth.NewKey(), auth.NewKey()}
	default:
		return c, err
	}
	if text, err = json.MarshalIndent(c, "", "  "); err != nil {
		return c, err
	}
	return c, writeFile(file, append(text, '\n'))
}

// devMaster reads the master key of a development folder, or makes it. It lies beside the databases, not in them.
func devMaster(dir string) (secrets.Key, error) {
	file := filepath.Join(dir, "keys", "master.key")
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return secrets.Key{}, err
	}
	if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
		return secrets.CreateMasterKey(file)
	}
	return secrets.LoadMasterKey(file)
}

// provision gives a development server its number, its administrator and the operator's key.
func provision(ctx context.Context, s *server, c credentials) error {
	n, _, err := found(ctx, s, founding{number: devFirst, password: c.Password})
	if err != nil {
		return err
	}
	if err := devCredit(ctx, s, n.Account); err != nil {
		return err
	}
	return errors.Join(s.auth.AddKey(ctx, c.APIKey, auth.Grant{Scopes: auth.AllScopes(), Label: "the operator of kabar dev"}),
		s.auth.AddKey(ctx, c.Token, auth.Grant{Account: n.Account, Scopes: auth.GraphScopes(), Label: "the Cloud API of kabar dev"}))
}

// devLimit is the line of credit of kabar dev's account.
const devLimit = 100_000_000 // 100.00

// devCredit draws the line of an account that has none.
func devCredit(ctx context.Context, s *server, account kabar.AccountID) error {
	accounts := s.engine.Accounts()
	c, err := accounts.Credit(ctx, account)
	if err != nil || !c.Open {
		return err
	}
	_, err = accounts.Draw(ctx, account, devLimit, byOperator)
	return err
}

// limits are those of numbers that are added: with --limits, all that there are.
func (c *devCmd) limits() kabar.Limits {
	if !c.Limits {
		return kabar.Limits{}
	}
	l := kabar.StartingLimits()
	l.PairRate = true
	return l
}

// limit holds the first number to limits, if somebody wants that and it has none yet.
func (d *dev) limit(ctx context.Context) error {
	if !d.cmd.Limits {
		return nil
	}
	_, err := d.server.engine.ChangeLimits(ctx, d.server.first().ID, func(l *kabar.Limits) error {
		if *l == (kabar.Limits{}) {
			*l = d.cmd.limits()
		}
		return nil
	})
	return err
}

func devFirst() (engine.NewNumber, error) {
	return engine.NewNumber{Account: founder(devBusiness), Digits: devNumber, Profile: devProfile(),
		Templates: []*kabar.TemplateDef{helloKabar(), orderKabar()}, Review: kabar.ReviewAuto}, nil
}

// setWebhook points the number's endpoint at a URL. An unchanged URL changes nothing.
func setWebhook(ctx context.Context, s *server, url string) error {
	id := s.first().ID
	endpoint, err := s.engine.Endpoint(ctx, id)
	if err != nil || endpoint.URL == url {
		return err
	}
	return s.engine.ChangeSettings(ctx, id, func(_ *kabar.Settings, u *string) error {
		*u = url
		return nil
	})
}
