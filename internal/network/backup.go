package network

// What a backup of the engine's store leaves out of the drivers' state, and what a restore adds to it.
const (
	// SessionPrefix begins the keys of entries that hold the encryption session with a customer. A backup leaves them out: a
	// session that is set back would use its keys twice. A driver does without them, and begins anew.
	SessionPrefix = "peer/"
	// RestoredKey is the key of an entry that a restore adds to every number's state. A driver that finds it goes by a state
	// that is older than what it has told the network: it starts its sessions afresh, gives out no id twice, and removes the
	// entry in the same commit. The network need not have noticed, so the driver must not rely on that.
	RestoredKey = "restored"
)
