package kabar

// ParameterType says what a parameter is.
type ParameterType string

// The types of parameters. The media types have the names of the media kinds.
const (
	ParameterText     ParameterType = "text"
	ParameterCurrency ParameterType = "currency"
	ParameterDateTime ParameterType = "date_time"
	ParameterImage    ParameterType = "image"
	ParameterDocument ParameterType = "document"
	ParameterVideo    ParameterType = "video"
	ParameterGIF      ParameterType = "gif" // a video
	ParameterLocation ParameterType = "location"
	ParameterPayload  ParameterType = "payload"
	ParameterCoupon   ParameterType = "coupon_code"
	ParameterAction   ParameterType = "action"
	ParameterOffer    ParameterType = "limited_time_offer"
	ParameterProduct  ParameterType = "product"
	ParameterMinutes  ParameterType = "ttl_minutes"
)

// media returns the kind of the medium that a parameter of a media type holds.
func (t ParameterType) media() Kind {
	if t == ParameterGIF {
		return KindVideo
	}
	return Kind(t)
}
