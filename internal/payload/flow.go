package payload

import (
	"encoding/json"
	"slices"

	"kabar"
)

// maxScreen bounds the id of a flow's screen, in bytes.
const maxScreen = 80

func checkAsked(q *kabar.FlowQuestion) error {
	switch {
	case !slices.Contains([]string{kabar.FlowInit, kabar.FlowExchange, kabar.FlowBack}, q.Action):
		return malformed("action %.40q of a flow", q.Action)
	case len(q.Data) > kabar.MaxFlowData:
		return malformed("%d bytes of a flow's data, at most %d", len(q.Data), kabar.MaxFlowData)
	}
	return checkPlace(q.ID, q.Message, q.Screen, q.Data)
}

func checkStep(s *kabar.FlowStep) error {
	switch s.Fault {
	case "":
		if s.Screen == "" {
			return malformed("a flow that goes nowhere")
		}
	case kabar.FlowAway, kabar.FlowOver:
	default:
		return malformed("fault %.40q of a flow", s.Fault)
	}
	return checkPlace(s.Question, s.Message, s.Screen, s.Data)
}

// checkPlace wants a question of a message, and a screen whose data are an object; both may be missing.
func checkPlace(question, message, screen string, data json.RawMessage) error {
	if err := checkIDs([]string{question, message}); err != nil {
		return err
	}
	if len(screen) > maxScreen {
		return malformed("screen %.40q of a flow", screen)
	}
	if data == nil {
		return nil
	}
	var object map[string]any
	if err := json.Unmarshal(data, &object); err != nil || object == nil {
		return malformed("the data of a flow are no object")
	}
	return nil
}
