#!/bin/sh
# Nothing is started that has not been configured. What runs already is restarted by an upgrade, once its store fits.
set -e
[ -d /run/systemd/system ] || exit 0
systemctl daemon-reload
for unit in kabar-relay kabar kabar-phone; do
	systemctl try-restart "$unit.service" || {
		echo "kabar: $unit did not come back; look at: journalctl -u $unit -n 20" >&2
		echo "kabar: a new version may have to migrate its store first; docs/operations.md, \"Upgrade\"" >&2
	}
done
[ -e /etc/kabar/master.key ] || echo "kabar: next: /usr/share/doc/kabar/deploy.md" >&2
