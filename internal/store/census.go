package store

import (
	"context"
	"database/sql"

	"kabar"
)

// Census says how many rows a number has. Counting reads all of them: it is for statistics that are asked for now and then.
type Census struct {
	Customers int64 // with whom the number has a conversation
	Incoming  int64 // messages of customers
	Outgoing  map[kabar.Status]int64
}

// Census counts a number's customers and messages.
func (db *DB) Census(ctx context.Context, n kabar.NumberID) (*Census, error) {
	c := &Census{Outgoing: map[kabar.Status]int64{}}
	customers, err := list(ctx, db, scanOne, "SELECT count(*) FROM conversation WHERE number_id = $1", int64(n))
	if err != nil {
		return nil, err
	}
	c.Customers = customers[0]
	type group struct{ direction, status, count int64 }
	groups, err := list(ctx, db, func(rs *sql.Rows) (g group, err error) {
		err = rs.Scan(&g.direction, &g.status, &g.count)
		return g, err
	}, "SELECT direction, status, count(*) FROM message WHERE number_id = $1 GROUP BY direction, status", int64(n))
	if err != nil {
		return nil, err
	}
	for _, g := range groups {
		if kabar.Direction(g.direction) == kabar.Inbound {
			c.Incoming += g.count
		} else {
			c.Outgoing[kabar.Status(g.status)] = g.count
		}
	}
	return c, nil
}

// JobCounts returns how many jobs of each kind wait for a number.
func (db *DB) JobCounts(ctx context.Context, n kabar.NumberID) (map[JobKind]int64, error) {
	type group struct {
		kind  string
		count int64
	}
	groups, err := list(ctx, db, func(rs *sql.Rows) (g group, err error) {
		err = rs.Scan(&g.kind, &g.count)
		return g, err
	}, "SELECT kind, count(*) FROM job WHERE number_id = $1 GROUP BY kind", int64(n))
	if err != nil {
		return nil, err
	}
	counts := map[JobKind]int64{}
	for _, g := range groups {
		counts[JobKind(g.kind)] = g.count
	}
	return counts, nil
}

func scanOne(rs *sql.Rows) (n int64, err error) {
	err = rs.Scan(&n)
	return n, err
}

// Engine names the database.
func (db *DB) Engine() string {
	if db.flavour == postgresFlavour {
		return "PGSQL"
	}
	return "SQLITE"
}
