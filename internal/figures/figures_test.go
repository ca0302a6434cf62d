package figures

import (
	"encoding/json"
	"sync"
	"testing"
)

var (
	requests = Family{"requests", Counter, "What was asked.", []string{"method", "status"}}
	plain    = Family{"plain", Gauge, "A line\nand a \\.", nil}
)

func TestASetCountsByOwner(t *testing.T) {
	s := NewSet()
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 100 {
				s.Add(1, "requests", 1, "POST", "200")
				s.Add(2, "requests", 2, "GET", "404")
			}
		})
	}
	all.Wait()
	s.Add(1, "requests", 1, "GET", "200")
	got := s.Samples(requests, 1)
	if len(got) != 2 || got[0].Labels[0] != "GET" || got[0].Value != 1 || got[1].Value != 800 {
		t.Errorf("the first owner has %v", got)
	}
	if got := s.Samples(requests, 2); len(got) != 1 || got[0].Value != 1600 {
		t.Errorf("the second owner has %v", got)
	}
	if got := s.Samples(requests, 3); got != nil {
		t.Errorf("a third owner has %v", got)
	}
	if got := s.Samples(plain, 3); len(got) != 1 || got[0].Value != 0 {
		t.Errorf("a figure without labels is %v", got)
	}
}

// TestText follows the exposition formats of Prometheus, text format 0.0.4.
func TestText(t *testing.T) {
	all := Label([]Series{{requests, []Sample{{[]string{"GET", "a \"b\" \\ c\nd"}, 1.5}, {[]string{"POST", "200"}, 1e9}}}, {plain, []Sample{{nil, 7}}}}, "node", "n1")
	want := `# HELP plain A line\nand a \\.
# TYPE plain gauge
plain{node="n1"} 7
# HELP requests What was asked.
# TYPE requests counter
requests{method="GET",status="a \"b\" \\ c\nd",node="n1"} 1.5
requests{method="POST",status="200",node="n1"} 1e+09
`
	if got := string(Text(all)); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

func TestJSON(t *testing.T) {
	b, err := json.Marshal(JSON([]Series{{requests, []Sample{{[]string{"GET", "200"}, 3}}}, {plain, nil}}))
	want := `{"plain":{"type":"gauge","help":"A line\nand a \\.","data":[]},` +
		`"requests":{"type":"counter","help":"What was asked.","data":[{"labels":{"method":"GET","status":"200"},"value":3}]}}`
	if err != nil || string(b) != want {
		t.Errorf("%s, %v", b, err)
	}
}
