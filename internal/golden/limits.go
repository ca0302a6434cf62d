package golden

import (
	"fmt"
	"strconv"
	"time"

	"kabar"
)

// SetLimits is the hand "limits": throughput, pair_rate or tier, and what it is from now on as an operator writes it.
func SetLimits(l *kabar.Limits, words []string) (err error) {
	switch words[0] {
	case "throughput":
		l.Throughput, err = kabar.ParseThroughput(words[1])
	case "tier":
		l.Tier, err = kabar.ParseTier(words[1])
	case "pair_rate":
		l.PairRate = words[1] == "on"
	default:
		err = fmt.Errorf("limits is %q", words)
	}
	return err
}

// Reached is the hand "reached": statements by which the account of [Ours] has reached so many customers at now whom nobody knows. It must
// not have reached anybody before.
func Reached(count string, now time.Time) (statements []string, err error) {
	n, err := strconv.Atoi(count)
	const account = "(SELECT account_id FROM number WHERE digits = '" + Ours + "')"
	return []string{
		fmt.Sprintf("INSERT INTO reach SELECT %s, %d", account, n),
		fmt.Sprintf("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d) "+
			"INSERT INTO reached SELECT %s, '9990' || i, (SELECT id FROM number WHERE digits = '%s'), %[4]d, 1, %[4]d FROM n", n, account, Ours, now.UnixMilli()),
	}, err
}
