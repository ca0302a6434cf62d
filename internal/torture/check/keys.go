package main

// None of these rules knows an excuse: keys are not used twice whatever is killed or restored.

// messageKeys: a ratchet key and a number in its chain belong to one ciphertext.
func messageKeys(r *run) (all []violation) {
	type key struct {
		ratchet string
		number  uint32
	}
	first := map[key]int{}
	for _, at := range r.sends {
		rec := &r.records[at]
		if rec.Header == nil || rec.Header.Ratchet == "" {
			continue
		}
		k := key{rec.Header.Ratchet, rec.Header.Number}
		if was, ok := first[k]; !ok {
			first[k] = at
		} else if r.records[was].Hash != rec.Hash {
			all = append(all, broken("keys", []int{was, at}, "%s has encrypted two messages with number %d of ratchet %.16s", rec.Device, k.number, k.ratchet))
		}
	}
	return all
}

// oneTimeKey names a one-time prekey.
type oneTimeKey struct {
	owner string
	id    uint32
}

// oneTimeKeys: a one-time prekey begins one session.
func oneTimeKeys(r *run) (all []violation) {
	first := map[oneTimeKey]int{}
	for _, at := range r.sends {
		rec := &r.records[at]
		if rec.Header == nil || rec.Header.OneTime == 0 {
			continue
		}
		k := oneTimeKey{rec.To, rec.Header.OneTime}
		if was, ok := first[k]; !ok {
			first[k] = at
		} else if r.records[was].Header.Ephemeral != rec.Header.Ephemeral {
			all = append(all, broken("keys", []int{was, at}, "one-time key %d of %s has begun two sessions", k.id, k.owner))
		}
	}
	return all
}

// bundledTwice: the relay hands a one-time prekey out once.
func bundledTwice(r *run) (all []violation) {
	first := map[oneTimeKey]int{}
	for _, at := range r.bundles {
		rec := &r.records[at]
		if rec.OneTime == 0 {
			continue
		}
		k := oneTimeKey{rec.To, rec.OneTime}
		if was, ok := first[k]; ok {
			all = append(all, broken("keys", []int{was, at}, "one-time key %d of %s was handed out twice", k.id, k.owner))
			continue
		}
		first[k] = at
	}
	return all
}

// resends: what goes out under an envelope's id again is the same, byte for byte, and to the same recipient.
func resends(r *run) (all []violation) {
	for _, at := range r.sends {
		rec := &r.records[at]
		first := r.envelopes[envelopeKey{rec.Device, rec.Envelope}].sends[0]
		if was := &r.records[first]; was.Hash != rec.Hash || was.To != rec.To {
			all = append(all, broken("resend", []int{first, at}, "%s has sent two things as envelope %s", rec.Device, rec.Envelope))
		}
	}
	return all
}
