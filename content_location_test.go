package kabar

import (
	"math"
	"testing"
)

func TestLocationValidate(t *testing.T) {
	up := func(v float64) float64 { return math.Nextafter(v, math.Inf(1)) }
	down := func(v float64) float64 { return math.Nextafter(v, math.Inf(-1)) }
	const lat, long = "location.latitude", "location.longitude"
	runRows(t, []row{
		{"zero", &Location{}, "", ""},
		{"negative zero", &Location{Latitude: math.Copysign(0, -1)}, "", ""},
		{"Madrid", &Location{Latitude: 40.4168, Longitude: -3.7038, Name: "Sol", Address: "Puerta del Sol"}, "", ""},
		{"address without a name", &Location{Address: "Puerta del Sol"}, "", ""},
		{"north pole", &Location{Latitude: 90}, "", ""},
		{"south pole", &Location{Latitude: -90}, "", ""},
		{"beyond the north pole", &Location{Latitude: up(90)}, ReasonInvalid, lat},
		{"beyond the south pole", &Location{Latitude: down(-90)}, ReasonInvalid, lat},
		{"date line, east", &Location{Longitude: 180}, "", ""},
		{"date line, west", &Location{Longitude: -180}, "", ""},
		{"beyond the date line, east", &Location{Longitude: up(180)}, ReasonInvalid, long},
		{"beyond the date line, west", &Location{Longitude: down(-180)}, ReasonInvalid, long},
		{"latitude NaN", &Location{Latitude: math.NaN()}, ReasonInvalid, lat},
		{"longitude NaN", &Location{Longitude: math.NaN()}, ReasonInvalid, long},
		{"latitude infinite", &Location{Latitude: math.Inf(1)}, ReasonInvalid, lat},
		{"longitude infinite", &Location{Longitude: math.Inf(-1)}, ReasonInvalid, long},
		{"swapped", &Location{Latitude: 139.69, Longitude: 35.68}, ReasonInvalid, lat},
	})
	runRows(t, freeText("location.name", "", func(s string) Content { return &Location{Name: s} }))
	runRows(t, freeText("location.address", "", func(s string) Content { return &Location{Address: s} }))
	runRows(t, freeText("location.url", "", func(s string) Content { return &Location{URL: s} }))
}
