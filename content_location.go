package kabar

// KindLocation is a place.
const KindLocation Kind = "location"

// Location is a place on the map.
type Location struct {
	Latitude  float64 `json:"latitude"`  // degrees, -90 to 90
	Longitude float64 `json:"longitude"` // degrees, -180 to 180
	Name      string  `json:"name,omitempty"`
	Address   string  `json:"address,omitempty"` // shown only together with a name
	URL       string  `json:"url,omitempty"`     // inbound only
}

// Kind returns KindLocation.
func (l *Location) Kind() Kind { return KindLocation }

// Validate checks the coordinates. An address without a name is accepted although no customer sees it. Whether the
// request had coordinates at all is for its decoder to say: 0, 0 is a place.
func (l *Location) Validate() error { return l.validate("location") }

// validate checks a location at a path of the request.
func (l *Location) validate(field string) error {
	return first(
		checkDegrees(field+".latitude", l.Latitude, 90),
		checkDegrees(field+".longitude", l.Longitude, 180),
		checkString(field+".name", l.Name),
		checkString(field+".address", l.Address),
		checkString(field+".url", l.URL),
	)
}

// checkDegrees is written so that NaN is refused.
func checkDegrees(field string, v, limit float64) error {
	if v >= -limit && v <= limit {
		return nil
	}
	return fault(ReasonInvalid, field, "is %v, allowed are -%v to %v degrees", v, limit, limit)
}
