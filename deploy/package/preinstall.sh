#!/bin/sh
# The user is made before the files, some of which belong to its group.
set -e
getent group kabar >/dev/null || groupadd --system kabar
getent passwd kabar >/dev/null || useradd --system --gid kabar --home-dir /var/lib/kabar --shell /usr/sbin/nologin kabar
