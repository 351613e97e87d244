#!/bin/sh
# What the official image's script comes to where nothing is claimed: stay in the foreground, as netdata.
set -e
chown -R netdata:netdata /var/lib/netdata /var/cache/netdata
exec /usr/sbin/netdata -u netdata -D -p "${NETDATA_LISTENER_PORT:-19999}" "$@"
