package contentjson

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"kabar"
	"kabar/internal/web"
)

// Template is the object of a template message; M is how the dialect writes a medium.
type Template[M any] struct {
	Namespace  string         `json:"namespace"`
	Name       string         `json:"name"`
	Language   Language       `json:"language"`
	Components []component[M] `json:"components"`
}

// Language is how a template is to be said.
type Language struct {
	Policy string `json:"policy"`
	Code   string `json:"code"`
}

type component[M any] struct {
	Type       string           `json:"type"`
	SubType    string           `json:"sub_type"`
	Index      *web.StringOrInt `json:"index"`
	Parameters []parameter[M]   `json:"parameters"`
	Cards      []filledCard[M]  `json:"cards"`
}

// filledCard fills one of the cards of a carousel. Its place in the list is what it is: an index that says otherwise is refused.
type filledCard[M any] struct {
	Index      *int           `json:"card_index"`
	Components []component[M] `json:"components"`
}

type parameter[M any] struct {
	Type     string          `json:"type"`
	Name     string          `json:"parameter_name"`
	Text     string          `json:"text"`
	Payload  string          `json:"payload"`
	Currency *currency       `json:"currency"`
	DateTime *DateTime       `json:"date_time"`
	Image    *M              `json:"image"`
	Document *M              `json:"document"`
	Video    *M              `json:"video"`
	GIF      *M              `json:"gif"`
	Location *Location       `json:"location"`
	Coupon   string          `json:"coupon_code"`
	Action   *buttonAction   `json:"action"`
	Product  *product        `json:"product"`
	Minutes  web.IntOrString `json:"ttl_minutes"`
	Offer    *struct {
		Ends web.IntOrString `json:"expiration_time_ms"`
	} `json:"limited_time_offer"`
}

type product struct {
	Catalog    string `json:"catalog_id"`
	RetailerID string `json:"product_retailer_id"`
}

type buttonAction struct {
	Thumbnail string         `json:"thumbnail_product_retailer_id"`
	Sections  []section      `json:"sections"`
	Payment   *payment       `json:"order_details"`
	FlowToken string         `json:"flow_token"`
	FlowData  jsontext.Value `json:"flow_action_data"`
}

type currency struct {
	Fallback   string          `json:"fallback_value"`
	Code       string          `json:"code"`
	Amount1000 web.IntOrString `json:"amount_1000"`
}

// DateTime is a moment by its parts.
type DateTime struct {
	Fallback   string           `json:"fallback_value"`
	Timestamp  web.IntOrString  `json:"timestamp"`
	DayOfWeek  web.StringOrInt  `json:"day_of_week"`
	Year       web.IntOrString  `json:"year"`
	Month      web.IntOrString  `json:"month"`
	DayOfMonth web.IntOrString  `json:"day_of_month"`
	Hour       *web.IntOrString `json:"hour"`
	Minute     *web.IntOrString `json:"minute"`
	Calendar   string           `json:"calendar"`
}

// Content reads the object. A component without parameters is as good as none; the namespace has no effect.
func (o *Template[M]) Content(media Media[M]) (kabar.Content, error) {
	t := &kabar.Template{Name: o.Name, Namespace: o.Namespace, Language: kabar.Language{Policy: o.Language.Policy, Code: o.Language.Code}}
	var err error
	t.Components, err = components("template.components", o.Components, media)
	return t, err
}

func components[M any](field string, list []component[M], media Media[M]) (all []kabar.Component, err error) {
	for i := range list {
		c, err := list[i].read(fmt.Sprintf("%s[%d]", field, i), media)
		if err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	return all, nil
}

func (o *component[M]) read(field string, media Media[M]) (kabar.Component, error) {
	c := kabar.Component{Type: kabar.ComponentType(strings.ToLower(o.Type)), SubType: strings.ToLower(o.SubType)}
	if c.Type == kabar.ComponentButton {
		var err error
		if c.Index, err = index(field+".index", o.Index); err != nil {
			return c, err
		}
	}
	for i := range o.Parameters {
		p, err := o.Parameters[i].read(fmt.Sprintf("%s.parameters[%d]", field, i), media)
		if err != nil {
			return c, err
		}
		c.Parameters = append(c.Parameters, p)
	}
	for n, card := range o.Cards {
		at := fmt.Sprintf("%s.cards[%d]", field, n)
		if err := checkIndex(at, card.Index, n); err != nil {
			return c, err
		}
		filled, err := components(at+".components", card.Components, media)
		if err != nil {
			return c, err
		}
		c.Cards = append(c.Cards, kabar.CardFilling{Components: filled})
	}
	return c, nil
}

func index(field string, s *web.StringOrInt) (int, error) {
	if s == nil {
		return 0, kabar.Refuse(kabar.ReasonMissing, field, "is required in a button: its position, from 0")
	}
	n, err := strconv.ParseUint(string(*s), 10, 16)
	if err != nil {
		return 0, kabar.Refuse(kabar.ReasonInvalid, field, "is %q, it must be the position of the button, from 0", string(*s))
	}
	return int(n), nil
}

func (o *parameter[M]) read(field string, media Media[M]) (kabar.Parameter, error) {
	p := kabar.Parameter{Type: kabar.ParameterType(strings.ToLower(o.Type)), Name: o.Name, Text: o.Text, Payload: o.Payload, Coupon: o.Coupon, Minutes: small(o.Minutes)}
	if c := o.Currency; c != nil {
		p.Currency = &kabar.Currency{Fallback: c.Fallback, Code: c.Code, Amount1000: int64(c.Amount1000)}
	}
	var err error
	if o.DateTime != nil {
		if p.DateTime, err = o.DateTime.Read(field + ".date_time"); err != nil {
			return p, err
		}
	}
	if o.Location != nil {
		if p.Location, err = o.Location.Read(field + ".location"); err != nil {
			return p, err
		}
	}
	if o.Offer != nil {
		p.Ends = int64(o.Offer.Ends)
	}
	if o.Product != nil {
		p.Product = &kabar.ProductRef{Catalog: o.Product.Catalog, RetailerID: o.Product.RetailerID}
	}
	if o.Action != nil {
		if p.Action, err = o.Action.action(field + ".action"); err != nil {
			return p, err
		}
	}
	object := map[kabar.ParameterType]*M{kabar.ParameterImage: o.Image, kabar.ParameterDocument: o.Document,
		kabar.ParameterVideo: o.Video, kabar.ParameterGIF: o.GIF}[p.Type]
	if object == nil {
		return p, nil
	}
	kind := kabar.Kind(p.Type)
	if p.Type == kabar.ParameterGIF {
		kind = kabar.KindVideo
	}
	if p.Media, err = media(kind, field+"."+string(p.Type), object); err == nil {
		p.Media.GIF = p.Type == kabar.ParameterGIF
	}
	return p, err
}

func (o *buttonAction) action(field string) (*kabar.ButtonAction, error) {
	a := &kabar.ButtonAction{Thumbnail: o.Thumbnail, Sections: sections(o.Sections), FlowToken: o.FlowToken}
	if o.Payment != nil {
		var err error
		if a.Payment, err = o.Payment.read(field + ".order_details"); err != nil {
			return nil, err
		}
	}
	switch o.FlowData.Kind() {
	case 0, 'n':
	case '{':
		a.FlowData = string(o.FlowData)
	default:
		return nil, kabar.Refuse(kabar.ReasonInvalid, field+".flow_action_data", "must be an object")
	}
	return a, nil
}

// Read reads the object, at a path of the request.
func (o *DateTime) Read(field string) (*kabar.DateTime, error) {
	day, ok := weekday(string(o.DayOfWeek))
	if !ok {
		return nil, kabar.Refuse(kabar.ReasonInvalid, field+".day_of_week", "is %q, allowed are 1 (Monday) to 7 and the English names",
			string(o.DayOfWeek))
	}
	return &kabar.DateTime{Fallback: o.Fallback, Timestamp: int64(o.Timestamp), DayOfWeek: day, Calendar: o.Calendar,
		Year: small(o.Year), Month: small(o.Month), DayOfMonth: small(o.DayOfMonth),
		Hour: clockPart(o.Hour), Minute: clockPart(o.Minute)}, nil
}

// small keeps a number that int may not hold out of every limit.
func small(n web.IntOrString) int { return int(max(-1, min(n, 1<<30))) }

func clockPart(n *web.IntOrString) *int {
	if n == nil {
		return nil
	}
	v := small(*n)
	return &v
}

var weekdays = []string{"", "MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY"}

// weekday reads a day as a number or by its name; 0 is none. Numbers out of range are the vocabulary's to refuse.
func weekday(s string) (int, bool) {
	if n, err := strconv.ParseUint(s, 10, 16); err == nil {
		return int(n), true
	}
	n := slices.Index(weekdays, strings.ToUpper(s))
	return n, n >= 0
}
