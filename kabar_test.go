package kabar

import (
	"testing"
	"time"
)

func TestHandle(t *testing.T) {
	tests := []struct {
		name string
		c    Customer
		want string
	}{
		{"number", Customer{WaID: "34600111222"}, "34600111222"},
		{"number and user id", Customer{WaID: "34600111222", BSUID: "ES.1a2b"}, "34600111222"},
		{"hidden number", Customer{BSUID: "ES.1a2b"}, "ES.1a2b"},
		{"neither", Customer{Name: "Ana"}, ""},
	}
	for _, tt := range tests {
		if got := tt.c.Handle(); got != tt.want {
			t.Errorf("%s: Handle() = %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestWindowOpen(t *testing.T) {
	wrote := time.Date(2031, 5, 2, 10, 15, 0, 0, time.UTC)
	tests := []struct {
		name  string
		last  time.Time
		after time.Duration
		want  bool
	}{
		{"never wrote", time.Time{}, 0, false},
		{"never wrote, much later", time.Time{}, 365 * Window, false},
		{"the same moment", wrote, 0, true},
		{"an hour later", wrote, time.Hour, true},
		{"the last nanosecond", wrote, Window - 1, true},
		{"24 hours later", wrote, Window, false},
		{"a nanosecond after that", wrote, Window + 1, false},
		{"our clock behind the customer's", wrote, -time.Minute, true},
	}
	for _, tt := range tests {
		c := Conversation{LastInbound: tt.last}
		if got := c.WindowOpen(wrote.Add(tt.after)); got != tt.want {
			t.Errorf("%s: WindowOpen = %v, want %v", tt.name, got, tt.want)
		}
	}
	if new(Conversation).WindowOpen(time.Time{}) {
		t.Error("a window that never opened is open at the zero time")
	}
	inLocal := Conversation{LastInbound: wrote.In(time.FixedZone("", 7*3600))}
	if !inLocal.WindowOpen(wrote.Add(Window-1)) || inLocal.WindowOpen(wrote.Add(Window)) {
		t.Error("the window depends on the time zone")
	}
}

func TestBillingOpen(t *testing.T) {
	end := time.Date(2031, 5, 3, 10, 15, 0, 0, time.UTC)
	open := Billing{ID: 7, Category: CategoryUtility, Expires: end}
	tests := []struct {
		name     string
		b        Billing
		at       time.Time
		category Category
		want     bool
	}{
		{"before the end", open, end.Add(-1), CategoryUtility, true},
		{"at the end", open, end, CategoryUtility, false},
		{"after the end", open, end.Add(1), CategoryUtility, false},
		{"another category", open, end.Add(-1), CategoryMarketing, false},
		{"free-form in a template's", open, end.Add(-1), CategoryService, false},
		{"before the first", Billing{}, time.Time{}.Add(-1), "", false},
		{"no key", Billing{Category: CategoryUtility, Expires: end}, end.Add(-1), CategoryUtility, false},
	}
	for _, tt := range tests {
		if got := tt.b.Open(tt.at, tt.category); got != tt.want {
			t.Errorf("%s: Open = %v, want %v", tt.name, got, tt.want)
		}
	}
}
