package kabar

// The checks of template parameters. Amounts and dates are shown as the sender's fallback text; their other fields are
// checked and kept for a customer's app that formats them itself.

// shown returns the text that the parameter puts into a placeholder; empty for a medium or payload.
func (p *Parameter) shown() string {
	switch {
	case p.Type == ParameterText:
		return p.Text
	case p.Type == ParameterCurrency && p.Currency != nil:
		return p.Currency.Fallback
	case p.Type == ParameterDateTime && p.DateTime != nil:
		return p.DateTime.Fallback
	}
	return ""
}

// check checks that the value of the parameter's type is there and valid. Values of other types are not looked at.
func (p *Parameter) check(field string) error {
	if err := checkString(field+".parameter_name", p.Name); err != nil {
		return err
	}
	value := field + "." + string(p.Type)
	switch p.Type {
	case ParameterText:
		return checkValue(value, p.Text)
	case ParameterPayload:
		return checkValue(value, p.Payload)
	case ParameterCurrency:
		return p.Currency.check(value)
	case ParameterDateTime:
		return p.DateTime.check(value)
	case ParameterImage, ParameterDocument, ParameterVideo:
		return p.checkMedia(value)
	case "":
		return fault(ReasonMissing, field+".type", "is required")
	}
	return fault(ReasonInvalid, field+".type", "%q is not a type of parameter", p.Type)
}

func (p *Parameter) checkMedia(field string) error {
	switch {
	case p.Media == nil:
		return fault(ReasonMissing, field, "is required in a parameter of type %q", p.Type)
	case p.Media.kind != Kind(p.Type):
		return fault(ReasonInvalid, field, "is of kind %q, the parameter's type is %q", p.Media.kind, p.Type)
	}
	return p.Media.validate(field)
}

func (c *Currency) check(field string) error {
	if c == nil {
		return fault(ReasonMissing, field, "is required in a parameter of type currency")
	}
	if err := checkValue(field+".fallback_value", c.Fallback); err != nil {
		return err
	}
	if c.Code == "" {
		return fault(ReasonMissing, field+".code", "is required, such as EUR")
	}
	for i := range len(c.Code) {
		if len(c.Code) != 3 || c.Code[i] < 'A' || c.Code[i] > 'Z' {
			return fault(ReasonInvalid, field+".code", "is %q; it must be three capital letters, such as EUR", c.Code)
		}
	}
	return nil
}

func (d *DateTime) check(field string) error {
	if d == nil {
		return fault(ReasonMissing, field, "is required in a parameter of type date_time")
	}
	if d.Calendar != "" && d.Calendar != "GREGORIAN" && d.Calendar != "SOLAR_HIJRI" {
		return fault(ReasonInvalid, field+".calendar", "is %q, allowed are GREGORIAN and SOLAR_HIJRI", d.Calendar)
	}
	return first(
		checkValue(field+".fallback_value", d.Fallback),
		checkPart(field+".day_of_week", d.DayOfWeek, 7),
		checkPart(field+".year", d.Year, 9999),
		checkPart(field+".month", d.Month, 12),
		checkPart(field+".day_of_month", d.DayOfMonth, 31),
		checkClock(field+".hour", d.Hour, 23),
		checkClock(field+".minute", d.Minute, 59),
	)
}

// checkPart checks a part of a date that counts from 1; zero was not given.
func checkPart(field string, v, limit int) error {
	if v < 0 || v > limit {
		return fault(ReasonInvalid, field, "is %d, allowed are 1 to %d", v, limit)
	}
	return nil
}

// checkClock checks a part of a time, which counts from 0.
func checkClock(field string, v *int, limit int) error {
	if v != nil && (*v < 0 || *v > limit) {
		return fault(ReasonInvalid, field, "is %d, allowed are 0 to %d", *v, limit)
	}
	return nil
}

// checkValue checks a text that must not be empty and whose length is limited elsewhere, together with others.
func checkValue(field, s string) error {
	if s == "" {
		return fault(ReasonMissing, field, "is required and must not be empty")
	}
	return checkString(field, s)
}
