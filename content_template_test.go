package kabar

import (
	"fmt"
	"strings"
	"testing"
)

// request returns a request for a template with the components.
func request(components ...Component) *Template {
	return &Template{Name: "parcel_update", Language: Language{Policy: "deterministic", Code: "es_ES"}, Components: components}
}

func headerWith(p ...Parameter) Component { return Component{Type: ComponentHeader, Parameters: p} }
func bodyWith(p ...Parameter) Component   { return Component{Type: ComponentBody, Parameters: p} }

// carouselWith fills n cards alike.
func carouselWith(n int, all ...Component) Component {
	c := Component{Type: ComponentCarousel, Cards: make([]CardFilling, n)}
	for i := range c.Cards {
		c.Cards[i].Components = all
	}
	return c
}

func offerWith(ends int64) Component {
	return Component{Type: ComponentOffer, Parameters: []Parameter{{Type: ParameterOffer, Ends: ends}}}
}
func buttonWith(subType string, index int, p ...Parameter) Component {
	return Component{Type: ComponentButton, SubType: subType, Index: index, Parameters: p}
}

func textOf(s string) Parameter { return Parameter{Type: ParameterText, Text: s} }
func named(name, s string) Parameter {
	return Parameter{Type: ParameterText, Name: name, Text: s}
}
func payloadOf(s string) Parameter { return Parameter{Type: ParameterPayload, Payload: s} }
func couponOf(s string) Parameter  { return Parameter{Type: ParameterCoupon, Coupon: s} }
func placeOf(latitude float64) Parameter {
	return Parameter{Type: ParameterLocation, Location: &Location{Latitude: latitude, Name: "Shop"}}
}
func mediaOf(kind Kind) Parameter {
	return Parameter{Type: ParameterType(kind), Media: &Media{kind: kind, ID: 7}}
}
func euros(fallback string) Parameter {
	return Parameter{Type: ParameterCurrency, Currency: &Currency{fallback, "EUR", 12500}}
}
func dateOf(fallback string) Parameter {
	return Parameter{Type: ParameterDateTime, DateTime: &DateTime{Fallback: fallback, Timestamp: 1935565800}}
}

// parameters has one valid parameter of each type.
func parameters() []Parameter {
	return []Parameter{textOf("x"), euros("12,50 €"), dateOf("3 May"), mediaOf(KindImage), mediaOf(KindDocument), mediaOf(KindVideo), placeOf(1), payloadOf("OK-1"), couponOf("SPRING"),
		{Type: ParameterAction, Action: &ButtonAction{FlowToken: "t"}}}
}

func TestTemplateHead(t *testing.T) {
	runRows(t, lengths("template.name", 512, ReasonMissing, ReasonInvalid, func(s string) Content {
		return &Template{Name: s, Language: Language{Code: "en"}}
	}))
	runRows(t, freeText("template.namespace", "", func(s string) Content {
		return &Template{Name: "n", Namespace: s, Language: Language{Code: "en"}}
	}))
	codes := map[string]Reason{
		"": ReasonMissing, "en": "", "es_ES": "", "pt_BR": "", "zh_HK": "", "fil": "", "fil_PH": "", "rw_RW": "",
		"e": ReasonInvalid, "engl": ReasonInvalid, "EN": ReasonInvalid, "En": ReasonInvalid, "es-ES": ReasonInvalid, "es_es": ReasonInvalid,
		"es_E": ReasonInvalid, "es_ESP": ReasonInvalid, "es_": ReasonInvalid, "_ES": ReasonInvalid, "es_E1": ReasonInvalid, " en": ReasonInvalid,
		"en ": ReasonInvalid, "ñe": ReasonInvalid, "en\x00": ReasonInvalid, "e\xff": ReasonInvalid, "es_ES_x": ReasonInvalid, "12": ReasonInvalid,
	}
	for code, reason := range codes {
		runRows(t, []row{{"code " + code, &Template{Name: "n", Language: Language{Code: code}}, reason, "template.language.code"}})
	}
	for policy, reason := range map[string]Reason{"": "", "deterministic": "", "fallback": ReasonInvalid, "Deterministic": ReasonInvalid} {
		runRows(t, []row{{"policy " + policy, &Template{Name: "n", Language: Language{policy, "en"}}, reason, "template.language.policy"}})
	}
}

func TestTemplateComponents(t *testing.T) {
	const first, second = "template.components[0]", "template.components[1]"
	runRows(t, []row{
		{"none", request(), "", ""},
		{"body without parameters", request(bodyWith()), "", ""},
		{"body with nil parameters", request(Component{Type: ComponentBody, Parameters: nil}), "", ""},
		{"all", request(headerWith(mediaOf(KindImage)), bodyWith(textOf("Ana"), euros("12,50 €"), dateOf("3 May")),
			buttonWith("quick_reply", 0, payloadOf("OK-1")), buttonWith("url", 1, textOf("track/991"))), "", ""},
		{"in another order", request(buttonWith("url", 1, textOf("a")), bodyWith(textOf("b")), headerWith(textOf("c"))), "", ""},
		{"no type", request(Component{}), ReasonMissing, first + ".type"},
		{"unknown type", request(Component{Type: "footer"}), ReasonInvalid, first + ".type"},
		{"carousel", request(carouselWith(2, headerWith(mediaOf(KindImage)), buttonWith("quick_reply", 0, payloadOf("a")))), "", ""},
		{"carousel of one card", request(carouselWith(1)), ReasonInvalid, first + ".cards"},
		{"carousel of eleven cards", request(carouselWith(11)), ReasonInvalid, first + ".cards"},
		{"carousel with parameters", request(Component{Type: ComponentCarousel, Cards: make([]CardFilling, 2), Parameters: []Parameter{textOf("a")}}), ReasonTemplateFormat, first + ".parameters[0].type"},
		{"carousel in a carousel", request(carouselWith(2, carouselWith(2))), ReasonInvalid, first + ".cards[0].components[0].type"},
		{"two headers on a card", request(carouselWith(2, headerWith(mediaOf(KindImage)), headerWith(mediaOf(KindImage)))), ReasonInvalid, first + ".cards[0].components[1]"},
		{"cards of a body", request(Component{Type: ComponentBody, Cards: make([]CardFilling, 2)}), ReasonNotRequired, first + ".cards"},
		{"offer", request(offerWith(1)), "", ""},
		{"offer that never ends", request(offerWith(0)), ReasonInvalid, first + ".parameters[0].limited_time_offer.expiration_time_ms"},
		{"offer in a body", request(bodyWith(offerWith(1).Parameters...)), ReasonTemplateFormat, first + ".parameters[0].type"},
		{"type in capitals", request(Component{Type: "BODY"}), ReasonInvalid, first + ".type"},
		{"two headers", request(headerWith(), headerWith()), ReasonInvalid, second},
		{"two bodies", request(bodyWith(textOf("a")), bodyWith(textOf("b"))), ReasonInvalid, second},
		{"two buttons of an index", request(buttonWith("url", 1), buttonWith("quick_reply", 1)), ReasonInvalid, second},
		{"button without a sub-type", request(buttonWith("", 0)), ReasonMissing, first + ".sub_type"},
		{"button of an unknown sub-type", request(buttonWith("swipe", 0)), ReasonInvalid, first + ".sub_type"},
		{"body with a sub-type", request(Component{Type: ComponentBody, SubType: "url"}), ReasonNotRequired, first + ".sub_type"},
		{"index -1", request(buttonWith("url", -1)), ReasonInvalid, first + ".index"},
		{"index 9", request(buttonWith("url", 9)), "", ""},
		{"index 10", request(buttonWith("url", 10)), ReasonInvalid, first + ".index"},
	})
}

// Every type of parameter in every component.
func TestTemplateParameterPlaces(t *testing.T) {
	allowed := map[string]string{
		"header": "text image document video location", "body": "text currency date_time", "quick_reply": "payload", "url": "text",
		"copy_code": "coupon_code", "catalog": "action", "flow": "action",
	}
	places := map[string]func(p Parameter) Component{
		"header":      func(p Parameter) Component { return headerWith(p) },
		"body":        func(p Parameter) Component { return bodyWith(p) },
		"quick_reply": func(p Parameter) Component { return buttonWith("quick_reply", 0, p) },
		"url":         func(p Parameter) Component { return buttonWith("url", 0, p) },
		"copy_code":   func(p Parameter) Component { return buttonWith("copy_code", 0, p) },
		"catalog":     func(p Parameter) Component { return buttonWith("catalog", 0, p) },
		"flow":        func(p Parameter) Component { return buttonWith("flow", 0, p) },
	}
	for place, component := range places {
		for _, p := range parameters() {
			r := row{name: fmt.Sprintf("%s in %s", p.Type, place), content: request(component(p))}
			if !strings.Contains(" "+allowed[place]+" ", " "+string(p.Type)+" ") {
				r.reason, r.field = ReasonTemplateFormat, "template.components[0].parameters[0].type"
			}
			runRows(t, []row{r})
		}
	}
}

func TestTemplateParameters(t *testing.T) {
	const field = "template.components[0].parameters[1]"
	in := func(p Parameter) *Template { return request(bodyWith(textOf("x"), p)) }
	money := func(c Currency) *Template { return in(Parameter{Type: ParameterCurrency, Currency: &c}) }
	runRows(t, freeText(field+".text", ReasonMissing, func(s string) Content { return in(textOf(s)) }))
	runRows(t, freeText(field+".parameter_name", "", func(s string) Content { return in(named(s, "x")) }))
	runRows(t, freeText(field+".currency.fallback_value", ReasonMissing, func(s string) Content { return in(euros(s)) }))
	runRows(t, freeText(field+".date_time.fallback_value", ReasonMissing, func(s string) Content { return in(dateOf(s)) }))
	runRows(t, freeText("template.components[0].parameters[0].payload", ReasonMissing, func(s string) Content {
		return request(buttonWith("quick_reply", 0, payloadOf(s)))
	}))
	runRows(t, []row{
		{"no type", in(Parameter{Text: "x"}), ReasonMissing, field + ".type"},
		{"unknown type", in(Parameter{Type: "smell"}), ReasonInvalid, field + ".type"},
		{"a line break", in(textOf("a\nb")), ReasonTemplateCharacter, field + ".text"},
		{"a tab", in(textOf("a\tb")), ReasonTemplateCharacter, field + ".text"},
		{"a line separator", in(textOf("a\u2028b")), ReasonTemplateCharacter, field + ".text"},
		{"a control character in a fallback", in(euros("a\x1bb")), ReasonTemplateCharacter, field + ".currency.fallback_value"},
		{"marks of direction and joiners", in(textOf("\u200fא\u200e 👩\u200d💻\ufe0f")), "", ""},
		{"four spaces", in(textOf("a    b    c")), "", ""},
		{"five spaces", in(textOf("a     b")), ReasonTemplateSpace, field + ".text"},
		{"five spaces of several kinds", in(textOf("a \u00a0\u2003 \u3000b")), ReasonTemplateSpace, field + ".text"},
		{"five spaces in a fallback", in(dateOf("     ")), ReasonTemplateSpace, field + ".date_time.fallback_value"},
		{"line breaks in a payload", request(buttonWith("quick_reply", 0, payloadOf("a\nb"))), "", ""},
		{"a coupon of 15", request(buttonWith("copy_code", 0, couponOf(strings.Repeat("x", 15)))), "", ""},
		{"a coupon of 16", request(buttonWith("copy_code", 0, couponOf(strings.Repeat("x", 16)))), ReasonTemplateParamLong, "template.components[0].parameters[0].coupon_code"},
		{"an empty coupon", request(buttonWith("copy_code", 0, couponOf(""))), ReasonMissing, "template.components[0].parameters[0].coupon_code"},
		{"no action", request(buttonWith("flow", 0, Parameter{Type: ParameterAction})), ReasonMissing, "template.components[0].parameters[0].action"},
		{"an action", request(buttonWith("catalog", 0, Parameter{Type: ParameterAction, Action: &ButtonAction{}})), "", ""},
		{"no place", request(headerWith(Parameter{Type: ParameterLocation})), ReasonMissing, "template.components[0].parameters[0].location"},
		{"a place off the map", request(headerWith(placeOf(91))), ReasonInvalid, "template.components[0].parameters[0].location.latitude"},
		{"a place", request(headerWith(placeOf(90))), "", ""},
		{"no currency", in(Parameter{Type: ParameterCurrency}), ReasonMissing, field + ".currency"},
		{"no date", in(Parameter{Type: ParameterDateTime}), ReasonMissing, field + ".date_time"},
		{"no code", money(Currency{"x", "", 1}), ReasonMissing, field + ".currency.code"},
		{"small code", money(Currency{"x", "eur", 1}), ReasonInvalid, field + ".currency.code"},
		{"short code", money(Currency{"x", "EU", 1}), ReasonInvalid, field + ".currency.code"},
		{"long code", money(Currency{"x", "EURO", 1}), ReasonInvalid, field + ".currency.code"},
		{"negative amount", money(Currency{"x", "EUR", -1}), "", ""},
		{"no image", request(headerWith(Parameter{Type: ParameterImage})), ReasonMissing, "template.components[0].parameters[0].image"},
		{"empty image", request(headerWith(Parameter{Type: ParameterImage, Media: NewMedia(KindImage)})), ReasonMissing, "template.components[0].parameters[0].image"},
		{"image that is a video", request(headerWith(Parameter{Type: ParameterImage, Media: &Media{kind: KindVideo, ID: 7}})), ReasonInvalid, "template.components[0].parameters[0].image"},
		{"bad link", request(headerWith(Parameter{Type: ParameterVideo, Media: &Media{kind: KindVideo, Link: "v.mp4"}})), ReasonInvalid, "template.components[0].parameters[0].video.link"},
	})
}

func TestTemplateDates(t *testing.T) {
	const field = "template.components[0].parameters[0].date_time."
	set := map[string]func(d *DateTime, v int){
		"day_of_week":  func(d *DateTime, v int) { d.DayOfWeek = v },
		"year":         func(d *DateTime, v int) { d.Year = v },
		"month":        func(d *DateTime, v int) { d.Month = v },
		"day_of_month": func(d *DateTime, v int) { d.DayOfMonth = v },
		"hour":         func(d *DateTime, v int) { d.Hour = &v },
		"minute":       func(d *DateTime, v int) { d.Minute = &v },
	}
	limits := map[string]int{"day_of_week": 7, "year": 9999, "month": 12, "day_of_month": 31, "hour": 23, "minute": 59}
	for name, put := range set {
		for v, reason := range map[int]Reason{-1: ReasonInvalid, 0: "", 1: "", limits[name]: "", limits[name] + 1: ReasonInvalid} {
			d := &DateTime{Fallback: "3 May"}
			put(d, v)
			runRows(t, []row{{fmt.Sprint(name, " ", v), request(bodyWith(Parameter{Type: ParameterDateTime, DateTime: d})), reason, field + name}})
		}
	}
	for calendar, reason := range map[string]Reason{"": "", "GREGORIAN": "", "SOLAR_HIJRI": "", "gregorian": ReasonInvalid, "JULIAN": ReasonInvalid} {
		d := &DateTime{Fallback: "3 May", Calendar: calendar}
		runRows(t, []row{{"calendar " + calendar, request(bodyWith(Parameter{Type: ParameterDateTime, DateTime: d})), reason, field + "calendar"}})
	}
}

// The texts of a component may have 1024 characters in all, those of a lone body 32768.
func TestTemplateParameterLength(t *testing.T) {
	for _, c := range []string{"x", "ñ", "漢", "😀"} {
		long := func(n int) Parameter { return textOf(strings.Repeat(c, n)) }
		runRows(t, []row{
			{"lone body of 32768 " + c, request(bodyWith(long(32768))), "", ""},
			{"lone body of 32769 " + c, request(bodyWith(long(32769))), ReasonTemplateParamLong, "template.components[0].parameters"},
			{"lone body of 32767 + 1 " + c, request(bodyWith(long(32767), textOf("x"))), "", ""},
			{"lone body of 32767 + 2 " + c, request(bodyWith(long(32767), textOf("xy"))), ReasonTemplateParamLong, "template.components[0].parameters"},
			{"body of 1024 " + c, request(bodyWith(long(1024)), buttonWith("url", 0)), "", ""},
			{"body of 1025 " + c, request(bodyWith(long(1025)), buttonWith("url", 0)), ReasonTemplateParamLong, "template.components[0].parameters"},
			{"second body of 1024 " + c, request(headerWith(long(1024)), bodyWith(long(1024))), "", ""},
			{"second body of 1025 " + c, request(headerWith(textOf("x")), bodyWith(long(1025))), ReasonTemplateParamLong, "template.components[1].parameters"},
			{"lone header of 1024 " + c, request(headerWith(long(1024))), "", ""},
			{"lone header of 1025 " + c, request(headerWith(long(1025))), ReasonTemplateParamLong, "template.components[0].parameters"},
			{"url of 1025 " + c, request(buttonWith("url", 0, long(1025))), ReasonTemplateParamLong, "template.components[0].parameters"},
			{"amounts and dates count " + c, request(headerWith(), bodyWith(long(1000), euros("123456789012"), dateOf("123456789012"))), "", ""},
			{"amounts and dates count, one more " + c, request(headerWith(), bodyWith(long(1000), euros("123456789012"), dateOf("1234567890123"))), ReasonTemplateParamLong, "template.components[1].parameters"},
		})
	}
}
