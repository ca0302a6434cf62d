package kabar

// The media kinds. A voice message is audio with Voice set.
const (
	KindImage    Kind = "image"
	KindAudio    Kind = "audio"
	KindVideo    Kind = "video"
	KindDocument Kind = "document"
	KindSticker  Kind = "sticker"
)

// MaxGIF is the largest GIF in bytes, which is a video.
const MaxGIF = 7 << 19 // 3.5 MB

// MaxCaption is the longest caption of an image, video or document, in characters.
const MaxCaption = 1024

// Media is an image, an audio or voice message, a video, a document or a sticker. Outbound it names a stored medium or a link that
// is fetched before sending; inbound it names the stored medium once that has been downloaded.
type Media struct {
	kind     Kind
	ID       MediaID `json:"media,omitempty"`    // key of the stored medium; zero while there is only a link
	Link     string  `json:"link,omitempty"`     // outbound: where to fetch it
	Provider string  `json:"provider,omitempty"` // outbound: named credentials for the link
	MIME     string  `json:"mime,omitempty"`
	SHA256   string  `json:"sha256,omitempty"` // of the plain bytes, lower-case hex
	Size     int64   `json:"size,omitempty"`   // bytes
	Caption  string  `json:"caption,omitempty"`
	Filename string  `json:"filename,omitempty"` // documents only
	Voice    bool    `json:"voice,omitempty"`    // audio only: recorded in the chat
	GIF      bool    `json:"gif,omitempty"`      // videos above a template only: played over and over, without sound

	Pack *StickerPack `json:"pack,omitempty"` // inbound stickers only: where it is from, if that is known
}

// StickerPack is the pack that a customer's sticker is from. Any of it may be empty.
type StickerPack struct {
	ID         string   `json:"id,omitempty"`
	Name       string   `json:"name,omitempty"`
	Publisher  string   `json:"publisher,omitempty"`
	Emojis     []string `json:"emojis,omitempty"` // what the sticker stands for
	IOS        string   `json:"ios,omitempty"`    // link to its app
	Android    string   `json:"android,omitempty"`
	FirstParty bool     `json:"first_party,omitempty"` // of the network itself
}

// NewMedia returns an empty medium of a media kind.
func NewMedia(kind Kind) *Media { return &Media{kind: kind} }

// Kind returns which of the media kinds it is.
func (m *Media) Kind() Kind { return m.kind }

// Validate checks a medium as the sender named it: by a stored medium or by a link, not both. What the bytes are, and
// whether they are within the size of their kind, is checked where the bytes are. A filename has no limit of its own.
func (m *Media) Validate() error { return m.validate(string(m.kind)) }

// validate is Validate for a medium at some path of the request: a header or a template parameter holds one too.
func (m *Media) validate(field string) error {
	if !isMedia(m.kind) {
		return fault(ReasonInvalid, field, "%q is not a kind of media", m.kind)
	}
	return first(
		m.checkSource(field),
		checkString(field+".provider", m.Provider),
		checkAbsent(field+".caption", m.Caption == "" || m.kind != KindAudio && m.kind != KindSticker, "audio and stickers have no caption"),
		checkMax(field+".caption", m.Caption, MaxCaption),
		checkAbsent(field+".filename", m.Filename == "" || m.kind == KindDocument, "only a document has a filename"),
		checkString(field+".filename", m.Filename),
		checkAbsent(field+".pack", m.Pack == nil, "only customers' stickers tell their pack"),
		checkAbsent(field+".gif", !m.GIF || m.kind == KindVideo, "only a video can be played as a GIF"),
		checkAbsent(field+".voice", !m.Voice || m.kind == KindAudio, "only audio can be a voice message"),
	)
}

func (m *Media) checkSource(field string) error {
	switch {
	case m.ID == 0 && m.Link == "":
		return fault(ReasonMissing, field, "needs the id of a stored medium or a link")
	case m.ID != 0 && m.Link != "":
		return fault(ReasonInvalid, field, "has both an id and a link; give one of them")
	case m.Link != "":
		return CheckURL(field+".link", m.Link)
	}
	return nil
}

// isMedia reports whether kind is one of the media kinds.
func isMedia(kind Kind) bool {
	switch kind {
	case KindImage, KindAudio, KindVideo, KindDocument, KindSticker:
		return true
	default:
		return false
	}
}
