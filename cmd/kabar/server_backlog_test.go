package main

import (
	"testing"
	"time"

	"kabar"
	"kabar/internal/endpoint"
	"kabar/internal/webhook"
)

// TestRowsAreAddedUp: an endpoint of several numbers is behind by what all of them are, and was answered last what the newest answer is.
func TestRowsAreAddedUp(t *testing.T) {
	at := time.Date(2026, 4, 12, 9, 0, 0, 0, time.UTC)
	g := endpoint.Group{{ID: 1}, {ID: 2}, {ID: 3}}
	got := sum(g, map[kabar.EndpointID]webhook.Backlog{
		1: {Pending: 2, Oldest: at.Add(time.Minute), LastAt: at, LastStatus: 200},
		2: {Pending: 3, Oldest: at, Parked: 1, Failing: true, LastAt: at.Add(time.Second), LastStatus: 410, LastError: "answered 410"},
		3: {},
	})
	want := webhook.Backlog{Pending: 5, Oldest: at, Parked: 1, Failing: true, LastAt: at.Add(time.Second), LastStatus: 410, LastError: "answered 410"}
	if got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}
