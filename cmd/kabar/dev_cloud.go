package main

import (
	"cmp"
	"context"
	"fmt"
	"strconv"

	"kabar/internal/engine"
	"kabar/internal/graph"
)

// cloudAccess is what an application of the Cloud API has to know.
type cloudAccess struct {
	Base        string `json:"base"`
	Version     string `json:"version"`
	Token       string `json:"access_token"`
	AppID       string `json:"app_id"`
	AppSecret   string `json:"app_secret"`
	VerifyToken string `json:"verify_token"`
	Business    string `json:"business_id"`
	Account     string `json:"waba_id"`
	Number      string `json:"phone_number_id"`
}

// cloud collects it for the first number.
func (d *dev) cloud(ctx context.Context, api string) (*cloudAccess, error) {
	app, err := d.server.db.App(ctx)
	if err != nil {
		return nil, err
	}
	id := func(key int64) string { return strconv.FormatUint(d.server.db.Node(key), 10) }
	n := d.server.first()
	return &cloudAccess{Base: api, Version: graph.Version, Token: d.creds.Token, AppID: id(app.ID), AppSecret: app.Secret,
		VerifyToken: app.VerifyToken, Business: id(app.Business), Account: id(int64(n.Account)), Number: id(int64(n.ID))}, nil
}

// text is the command that sends a text by the Cloud API.
func (c *cloudAccess) text(to string) string {
	body := fmt.Sprintf(`{"messaging_product":"whatsapp","to":%q,"type":"text","text":{"body":"Hello from the Cloud API"}}`, to)
	return calls{c.Base, c.Token}.curl("POST", "/"+c.Version+"/"+c.Number+"/messages", body)
}

// setWebhooks points the endpoints of the dialects at a URL; what the other one had before stays.
func setWebhooks(ctx context.Context, s *server, url, dialect string) error {
	if dialect != "cloud" {
		if err := setWebhook(ctx, s, url); err != nil {
			return err
		}
	}
	if dialect == "onprem" {
		return nil
	}
	return s.engine.SetCallback(ctx, url, []string{engine.FieldMessages})
}

// cloudFile says where the rest of what an application has to know is found.
func cloudFile(ready string) string { return cmp.Or(ready, "the file of --ready-file") }
