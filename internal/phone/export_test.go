package phone

import "kabar/internal/sqlite"

// Schema returns the steps of the store's schema.
func Schema() []sqlite.Migration { return schema }
