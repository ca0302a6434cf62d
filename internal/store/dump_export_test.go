package store

import "time"

// Described returns the columns of every table as the store describes them.
func Described() map[string][]Column {
	all := map[string][]Column{}
	for _, s := range shapes() {
		for _, c := range append(append([]column(nil), s.keys...), s.cols...) {
			all[s.name] = append(all[s.name], Column{c.name, c.kind})
		}
	}
	return all
}

// Leapt returns where a counter goes on after a restore.
func Leapt(next int64, at time.Time) (int64, error) { return leapt(next, at) }
