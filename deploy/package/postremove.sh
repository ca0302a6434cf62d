#!/bin/sh
# Data, configuration and the master key stay: only their owner decides about them.
set -e
[ -d /run/systemd/system ] && systemctl daemon-reload
[ "$1" = purge ] && echo "kabar: /var/lib/kabar and /etc/kabar/master.key are still there; remove them yourself if nobody needs them" >&2
exit 0
