#!/bin/sh
# "upgrade" (deb) and 1 (rpm) come before an upgrade: then the program goes on until the new one restarts it.
set -e
case "$1" in upgrade | 1) exit 0 ;; esac
[ -d /run/systemd/system ] || exit 0
for unit in kabar-backup.timer kabar-phone.service kabar.service kabar-relay.service; do
	systemctl disable --now "$unit" >/dev/null 2>&1 || true
done
