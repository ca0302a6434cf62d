package metrics_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"kabar/internal/metrics"
)

// lint has Prometheus's own rules look at the names.
func lint(t *testing.T, m *metrics.Metrics) {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	problems, err := promlint.New(w.Body).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		if strings.HasPrefix(p.Metric, "kabar_") {
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
	}
}

// known are the series that an expression may name: ours, with what a histogram is made of, and the few of others.
func known() map[string]metrics.Metric {
	all := map[string]metrics.Metric{}
	for name := range strings.FieldsSeq("up process_start_time_seconds process_open_fds process_max_fds process_cpu_seconds_total " +
		"process_resident_memory_bytes go_goroutines go_memstats_heap_alloc_bytes") {
		all[name] = metrics.Metric{Name: name}
	}
	for _, m := range metrics.Table() {
		if m.Kind != metrics.Histogram {
			all[m.Name] = m
			continue
		}
		all[m.Name+"_sum"], all[m.Name+"_count"] = m, m
		m.Labels = append(slices.Clone(m.Labels), "le")
		all[m.Name+"_bucket"] = m
	}
	return all
}

// words are the functions and keywords of PromQL in use.
var words = strings.Fields("sum min count by rate increase changes histogram_quantile vector time or le on and ignoring label_values")

var (
	quoted  = regexp.MustCompile(`"[^"]*"`)
	braces  = regexp.MustCompile(`([a-z_:]+)\{([^}]*)\}`)
	windows = regexp.MustCompile(`\[[^\]]*\]`)
	groups  = regexp.MustCompile(`by \(([^)]*)\)`)
	idents  = regexp.MustCompile(`[a-zA-Z_:][a-zA-Z0-9_:]*`)
)

// faults returns what an expression names that there is not. It is no parser: it knows names, labels and balance.
func faults(expr string) (all []string) {
	have := known()
	plain := windows.ReplaceAllString(quoted.ReplaceAllString(expr, `""`), "")
	for _, m := range braces.FindAllStringSubmatch(plain, -1) {
		for matcher := range strings.SplitSeq(m[2], ",") {
			label := idents.FindString(matcher)
			if label != "instance" && label != "job" && label != "status" && !slices.Contains(have[m[1]].Labels, label) {
				all = append(all, m[1]+" has no label "+label)
			}
		}
	}
	for _, g := range groups.FindAllStringSubmatch(plain, -1) {
		plain = strings.Replace(plain, g[0], "", 1)
		for label := range strings.SplitSeq(g[1], ",") {
			if label = strings.TrimSpace(label); label != "instance" && !strings.Contains(labelsOf(expr, have), " "+label+" ") {
				all = append(all, "nothing has the label "+label)
			}
		}
	}
	for _, name := range idents.FindAllString(braces.ReplaceAllString(plain, "$1"), -1) {
		if _, ok := have[name]; !ok && !slices.Contains(words, name) {
			all = append(all, "there is no "+name)
		}
	}
	if strings.Count(expr, "(") != strings.Count(expr, ")") || strings.Count(expr, "{") != strings.Count(expr, "}") {
		all = append(all, "brackets do not match")
	}
	return all
}

// labelsOf returns the labels of all metrics of an expression.
func labelsOf(expr string, have map[string]metrics.Metric) string {
	labels := " "
	for _, name := range idents.FindAllString(expr, -1) {
		labels += strings.Join(have[name].Labels, " ") + " "
	}
	return labels
}

func TestFaultsAreFound(t *testing.T) {
	for expr, want := range map[string]string{
		"kabar_nothing > 1":                                        "there is no kabar_nothing",
		`kabar_messages_total{kind="x"}`:                           "has no label kind",
		"sum by (endpoint) (rate(kabar_messages_total[5m]))":       "nothing has the label endpoint",
		"rate(kabar_messages_total[5m]":                            "brackets",
		"kabar_store_batch_operations":                             "there is no kabar_store_batch_operations",
		`sum by (type) (rate(kabar_messages_total{type="x"}[1m]))`: "",
	} {
		got := strings.Join(faults(expr), "; ")
		if (want == "") != (got == "") || !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q", expr, got, want)
		}
	}
}

type alertFile struct {
	Groups []struct {
		Name  string `yaml:"name"`
		Rules []struct {
			Alert       string            `yaml:"alert"`
			Expr        string            `yaml:"expr"`
			For         string            `yaml:"for"`
			Labels      map[string]string `yaml:"labels"`
			Annotations map[string]string `yaml:"annotations"`
		} `yaml:"rules"`
	} `yaml:"groups"`
}

// TestAlerts: the rules parse, name what exists, and are those of docs/metrics.md.
func TestAlerts(t *testing.T) {
	text, err := os.ReadFile("../../deploy/prometheus/alerts.yml")
	if err != nil {
		t.Fatal(err)
	}
	var file alertFile
	if err := yaml.UnmarshalWithOptions(text, &file, yaml.Strict()); err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile("../../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	documented := map[string]bool{}
	for _, m := range regexp.MustCompile(`\| (Kabar[A-Za-z]+): `).FindAllStringSubmatch(string(page), -1) {
		documented[m[1]] = true
	}
	for _, g := range file.Groups {
		for _, r := range g.Rules {
			if !documented[r.Alert] {
				t.Errorf("%s is not in docs/metrics.md, or stands twice", r.Alert)
			}
			delete(documented, r.Alert)
			for _, f := range faults(r.Expr) {
				t.Errorf("%s: %s", r.Alert, f)
			}
			if _, err := time.ParseDuration(r.For); r.For != "" && err != nil {
				t.Errorf("%s: %v", r.Alert, err)
			}
			if s := r.Labels["severity"]; s != "page" && s != "ticket" || r.Annotations["summary"] == "" || r.Annotations["description"] == "" {
				t.Errorf("%s: %v %v", r.Alert, r.Labels, r.Annotations)
			}
		}
	}
	for name := range documented {
		t.Errorf("docs/metrics.md has the alert %s, deploy/prometheus/alerts.yml has not", name)
	}
}

type panel struct {
	ID      int    `json:"id"`
	Type    string `json:"type"`
	Title   string `json:"title"`
	GridPos struct{ H, W, X, Y int }
	Targets []struct{ Expr string }
}

// TestDashboard: it parses, has the rows that docs/metrics.md speaks of, and names what exists; every metric but a few is shown.
func TestDashboard(t *testing.T) {
	text, err := os.ReadFile("../../deploy/grafana/kabar.json")
	if err != nil {
		t.Fatal(err)
	}
	var board struct {
		Title  string  `json:"title"`
		Panels []panel `json:"panels"`
	}
	if err := json.Unmarshal(text, &board); err != nil {
		t.Fatal(err)
	}
	var rows, shown []string
	ids := map[int]bool{}
	for _, p := range board.Panels {
		if ids[p.ID] || p.Title == "" || p.GridPos.W == 0 || p.GridPos.X+p.GridPos.W > 24 {
			t.Errorf("panel %d %q: %+v", p.ID, p.Title, p.GridPos)
		}
		if ids[p.ID] = true; p.Type == "row" {
			rows = append(rows, p.Title)
			continue
		}
		if len(p.Targets) == 0 {
			t.Errorf("%s shows nothing", p.Title)
		}
		for _, target := range p.Targets {
			shown = append(shown, target.Expr)
			for _, f := range faults(target.Expr) {
				t.Errorf("%s: %s", p.Title, f)
			}
		}
	}
	if want := "Health Messages Webhooks Store Network HTTP Process"; strings.Join(rows, " ") != want {
		t.Errorf("rows %v, want %s", rows, want)
	}
	for _, m := range metrics.Table() {
		if !strings.Contains(strings.Join(shown, "\n"), m.Name) {
			t.Errorf("%s is not shown", m.Name)
		}
	}
}
