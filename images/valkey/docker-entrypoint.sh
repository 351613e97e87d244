#!/bin/sh
# Starts the server as valkey, as the official image does: options alone mean valkey-server with them.
set -e
case ${1:-} in -* | *.conf) set -- valkey-server "$@" ;; esac
if [ "${1:-}" = valkey-server ]; then
    # The official build answers other hosts without a password; Debian's wants to be told.
    set -- "$@" --protected-mode no
    if [ "$(id -u)" = 0 ]; then
        find . \! -user valkey -exec chown valkey '{}' +
        exec setpriv --reuid=valkey --regid=valkey --clear-groups "$@"
    fi
fi
exec "$@"
