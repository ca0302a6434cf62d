package sim

import "slices"

// commit has the writer commit what waits.
func (w *world) commit() {
	w.decide()
	w.note("commit %d", w.server.queued())
	w.logged = w.place.disk.Logged()
	w.stats.transmitted, w.stats.hooked = 0, 0
	w.server.permit <- struct{}{}
	w.rest()
}

// open decides what becomes of one that waits at a gate.
func (w *world) open(g *gate, v verdict) {
	w.decide()
	what := ""
	switch {
	case v == taken || v == lost:
		what = w.happen(g, v)
	case v == refused:
		if g.message != nil {
			g.message.given = true
		}
	case w.mutant == retryOvertakes && g.kind == "post":
		w.held[g.name] = g
	}
	w.note("%s: %s %s", g.label(), v, what)
	w.gates.release(g, v)
	w.rest()
}

// happen does on the outside what waits at a gate.
func (w *world) happen(g *gate, v verdict) string {
	switch g.kind {
	case "send":
		w.take(g)
		w.stats.transmitted++
	case "post":
		return w.hook(g)
	case "ack":
		g.mail.from.handing = false
		if v == taken {
			g.mail.from.acked(g.mail)
		}
		return g.mail.String()
	case "answer":
		w.calls = slices.DeleteFunc(w.calls, func(c *call) bool { return c == g.call })
		if v == taken {
			return g.call.answer(w)
		}
		g.call.forgo()
	}
	return ""
}

// hook has the application take a webhook.
func (w *world) hook(g *gate) string {
	w.stats.hooked++
	what := w.model.text(g.hook.told)
	if w.model.posted(g.hook.id) {
		w.stats.Hooks++
	} else {
		what += " again"
	}
	if h := w.held[g.name]; h != nil {
		w.held[g.name] = nil
		w.model.posted(h.hook.id)
	}
	return what
}

// due returns something that waits, and what becomes of it as things are; nil if all that waits has to go on waiting.
func (w *world) due() (*gate, verdict) {
	for _, g := range w.gates.list() {
		switch {
		case g.kind == "send" && w.offline:
			return g, failed
		case g.kind == "post" && w.sinkIs == hanging:
		case g.kind == "post" && (w.sinkIs == down || w.sinkIs == g.name):
			return g, failed
		default:
			return g, taken
		}
	}
	return nil, ""
}

// How an application answers; or it has the name of the customer on whose events it fails.
const (
	well    = "well"
	down    = "down"
	hanging = "hanging"
	flaky   = "flaky"
)

// chance is how something at a gate goes when chance decides.
func (w *world) chance(g *gate) verdict {
	pick := func(v ...verdict) verdict { return v[w.rng.IntN(len(v))] }
	switch {
	case g.kind == "send" && w.offline:
		return failed
	case g.message != nil && w.rng.IntN(60) == 0:
		return refused
	case g.kind == "send":
		return pick(taken, taken, taken, taken, taken, taken, taken, lost, failed, later)
	case g.kind == "post" && w.sinkIs == well:
		return pick(taken, taken, taken, taken, taken, taken, taken, taken, lost, failed)
	case g.kind == "post" && w.sinkIs == flaky:
		return pick(taken, lost, failed)
	case g.kind == "post" && w.sinkIs != g.name:
		return pick(failed, failed, failed, failed, lost)
	case g.kind == "post":
		return failed
	}
	return pick(taken, taken, taken, taken, taken, lost)
}

// crash kills the server and starts it again. Of what waits at its gates some has happened, though it never hears of it.
func (w *world) kill() {
	w.decide()
	w.note("crash")
	w.stats.Crashes++
	w.stats.UnmarkedSent += min(w.stats.transmitted, 1)
	w.stats.UnmarkedHook += min(w.stats.hooked, 1)
	for _, g := range w.gates.list() {
		half := w.rng.IntN(2) == 0
		switch {
		case g.kind == "ack":
			w.stats.Unacked++
		case g.kind == "answer" && g.call.err == nil && !g.call.sent.Replayed:
			w.stats.Unanswered++
		case g.kind == "send" && half && !w.offline:
			w.stats.UnmarkedSent++
			w.note("%s: %s %s", g.label(), lost, w.happen(g, lost))
		case g.kind == "send":
			w.stats.Unsent++
		case g.kind == "post" && half && w.sinkIs == well:
			w.stats.UnmarkedHook++
			w.note("%s: %s %s", g.label(), lost, w.happen(g, lost))
		}
	}
	w.stats.transmitted, w.stats.hooked = 0, 0
	w.crash()
	w.rest()
}
