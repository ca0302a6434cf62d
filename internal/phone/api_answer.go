package phone

import (
	"net/http"

	"kabar"
)

// The calls that answer messages with more than a tap, and the change of the number.

func (p *Phone) postOrder(w http.ResponseWriter, r *http.Request) error {
	var cart Cart
	if err := decode(w, r, &cart); err != nil {
		return err
	}
	id, err := p.Order(r.Context(), r.PathValue("wa_id"), r.PathValue("id"), cart)
	if err != nil {
		return err
	}
	return write(w, http.StatusCreated, map[string]string{"id": id})
}

func (p *Phone) postAnswer(w http.ResponseWriter, r *http.Request) error {
	var body struct {
		Response map[string]any    `json:"response"`
		Location *draftLocation    `json:"location"`
		Screens  kabar.FlowAnswers `json:"screens"`
	}
	if err := decode(w, r, &body); err != nil {
		return err
	}
	if body.Screens != nil {
		id, err := p.Fill(r.Context(), r.PathValue("wa_id"), r.PathValue("id"), body.Screens)
		if err != nil {
			return err
		}
		return write(w, http.StatusCreated, map[string]string{"id": id})
	}
	var location *kabar.Location
	if body.Location != nil {
		content, err := body.Location.content()
		if err != nil {
			return err
		}
		location, _ = content.(*kabar.Location) // it is one
	}
	id, err := p.Answer(r.Context(), r.PathValue("wa_id"), r.PathValue("id"), body.Response, location)
	if err != nil {
		return err
	}
	return write(w, http.StatusCreated, map[string]string{"id": id})
}

func (p *Phone) postFlow(w http.ResponseWriter, r *http.Request) error {
	var move FlowMove
	if err := decodeOptional(w, r, &move); err != nil {
		return err
	}
	page, err := p.Flow(r.Context(), r.PathValue("wa_id"), r.PathValue("id"), move)
	if err != nil {
		return err
	}
	return write(w, http.StatusOK, page)
}

func (p *Phone) postForward(w http.ResponseWriter, r *http.Request) error {
	var body struct {
		To       string `json:"to"`
		Frequent bool   `json:"frequently_forwarded"`
	}
	if err := decodeOptional(w, r, &body); err != nil {
		return err
	}
	id, err := p.Forward(r.Context(), r.PathValue("wa_id"), r.PathValue("id"), body.To, body.Frequent)
	if err != nil {
		return err
	}
	return write(w, http.StatusCreated, map[string]string{"id": id})
}

func (p *Phone) postChangeNumber(w http.ResponseWriter, r *http.Request) error {
	var body struct {
		WaID string `json:"wa_id"`
	}
	if err := decode(w, r, &body); err != nil {
		return err
	}
	c, err := p.ChangeNumber(r.Context(), r.PathValue("wa_id"), body.WaID)
	if err != nil {
		return err
	}
	return write(w, http.StatusOK, c)
}
