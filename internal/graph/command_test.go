package graph

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strconv"

	"kabar"
)

// createTemplates makes templates that no two of are alike.
func (p *player) createTemplates(count string) {
	p.t.Helper()
	n, err := strconv.Atoi(count)
	must(p.t, err)
	for i := range n {
		_, err := p.engine.Templates().Create(p.t.Context(), p.a.Account, &kabar.TemplateDef{Name: fmt.Sprint("made_", i), Language: "en", Category: kabar.CategoryUtility,
			Components: []kabar.TemplateComponent{{Type: kabar.TemplateBody, Text: fmt.Sprintf("Notice %d of many.", i)}}}, "")
		must(p.t, err)
	}
}

// judge decides upon a template.
func (p *player) judge(id, decision string) {
	p.t.Helper()
	key, err := strconv.ParseInt(id, 10, 64)
	must(p.t, err)
	var d kabar.Decision
	must(p.t, json.Unmarshal([]byte(decision), &d))
	_, err = p.engine.Templates().Review(p.t.Context(), p.a.Account, kabar.TemplateID(key), d, "")
	must(p.t, err)
}

// sql changes the database behind the store's back.
func (p *player) sql(statement string) {
	p.t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(p.dir, "kabar.db")+"?_pragma=busy_timeout(10000)")
	must(p.t, err)
	_, err = db.ExecContext(p.t.Context(), statement)
	must(p.t, err)
	must(p.t, db.Close())
}
