package main

import (
	"runtime"
	"testing"

	"kabar/internal/storetest"
)

// TestDeploy does what docs/deploy.md says, as it stands there, on a machine of its own; then what docs/operations.md says.
// Messages flow all the time: nothing is lost, and nothing is doubled.
func TestDeploy(t *testing.T) { onBoth(t, deploy) }

// onBoth runs a test for a machine with SQLite and for one with PostgreSQL.
func onBoth(t *testing.T, f func(t *testing.T, pg *cluster)) {
	if runtime.GOOS != "linux" {
		t.Skip("DOCS/DEPLOY.MD IS NOT TESTED: it is for Linux")
	}
	t.Run("sqlite", func(t *testing.T) { f(t, nil) })
	if testing.Short() { // what is raced for is the same on both stores
		return
	}
	t.Run("postgres", func(t *testing.T) {
		storetest.Private(t, func(t *testing.T, s *storetest.Env, server *storetest.Server) { f(t, newCluster(t, s, server)) })
	})
}

func deploy(t *testing.T, pg *cluster) {
	app := newApplication(t)
	m := newMachine(t, pg, app.url())
	page := readPage(t)
	for _, section := range []string{"0", "1", "2", "3", "4", "5", "6"} {
		m.follow(page, section, false)
	}
	m.do("curl -s --cacert /var/lib/kabar/server/tls/tls.crt $API/livez")                                // what section 5 says is better than -k
	m.do("sudo -u kabar kabar number limits --throughput off --tier off --config /etc/kabar/serve.yaml") // there will be more than 80 a second
	v := newTraffic(m, app)
	v.exchange("before", some(20))
	v.arrived("before the backup", v.all())
	v.backupAndRestore(page)
	v.rotate()
	if pg != nil {
		v.restartDatabase()
	}
	m.do("sudo -u kabar kabar doctor --config /etc/kabar/serve.yaml") // section 8: no FAIL
}

// some is n, or a few in a short run.
func some(n int) int {
	if testing.Short() {
		return min(n, 4)
	}
	return n
}
