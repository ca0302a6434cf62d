package kabar

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// MaxProfilePhoto is how many bytes the picture in a profile may have: it goes to every customer, in one envelope with the
// rest of the profile.
const MaxProfilePhoto = 24 << 10

// Limits of a profile (contract On-Premises API, 1.8), in characters.
const (
	maxAddress     = 256
	maxDescription = 512
	maxEmail       = 128
	maxWebsite     = 256
	maxWebsites    = 2
	maxAbout       = 139
)

// Verticals returns what a business can be, in the words of the contract.
func Verticals() []string {
	return []string{"Automotive", "Beauty, Spa and Salon", "Clothing and Apparel", "Education", "Entertainment", "Event Planning and Service",
		"Finance and Banking", "Food and Grocery", "Public Service", "Hotel and Lodging", "Medical and Health", "Non-profit",
		"Professional Services", "Shopping and Retail", "Travel and Transportation", "Restaurant", "Other"}
}

// RegulatedVerticals returns what a business can be besides, in the Cloud API alone, whose names for them these are.
func RegulatedVerticals() []string {
	return []string{"Alcoholic Beverages", "Online Gambling & Gaming", "Non-Online Gambling & Gaming", "Over-the-Counter Drugs"}
}

// emailForm is as much as can be said of an address without writing to it.
var emailForm = regexp.MustCompile(`^[^@\s<>"]+@[^@\s<>"]+\.[^@\s<>".]+$`)

// Validate checks the limits of a profile. Its name was checked when the number was added.
func (p *Profile) Validate() error {
	if err := first(checkMax("address", p.Address, maxAddress), checkMax("description", p.Description, maxDescription),
		checkMax("email", p.Email, maxEmail), checkMax("text", p.About, maxAbout)); err != nil {
		return err
	}
	if p.Email != "" && !emailForm.MatchString(p.Email) {
		return fault(ReasonInvalid, "email", "is no address such as shop@example.com")
	}
	if p.Vertical != "" && !slices.Contains(append(Verticals(), RegulatedVerticals()...), p.Vertical) {
		return fault(ReasonInvalid, "vertical", "is not known; allowed are: %s", strings.Join(Verticals(), "; "))
	}
	if n := len(p.Websites); n > maxWebsites {
		return fault(ReasonInvalid, "websites", "has %d addresses, the limit is %d", n, maxWebsites)
	}
	for i, site := range p.Websites {
		if err := checkWebsite(fmt.Sprintf("websites[%d]", i), site); err != nil {
			return err
		}
	}
	if p.Hours != nil {
		if err := p.Hours.Validate(); err != nil {
			return err
		}
	}
	if n := len(p.Photo); n > MaxProfilePhoto {
		return fault(ReasonInvalid, "photo", "has %d bytes, the limit is %d", n, MaxProfilePhoto)
	}
	return nil
}

func checkWebsite(field, site string) error {
	if err := checkText(field, site, maxWebsite); err != nil {
		return err
	}
	if u, err := url.Parse(site); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return fault(ReasonInvalid, field, "must begin with http:// or https:// and name a host")
	}
	return nil
}
