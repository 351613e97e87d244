#!/bin/sh
# Install, update in place, or start: what update files do by their own rules, on the data that is there.
set -e
exec 2>&1
trap '/opt/omflow/server/omflow_server stop; exit 0' TERM HUP INT
data=/opt/omflow/data
own=$(cat /opt/omflow/server/version)
runtime=$(cat /opt/omflow/python/version)

number() { echo "$1" | awk -F. '{ printf "%d%03d%03d%03d\n", $1, $2, $3, $4 }'; }
fail() { echo "ERROR: $*"; exit 1; }

if [ ! -e "$data/version" ]; then
    echo "installing OMFLOW $own"
    echo "first flow" >"$data/flows"
    echo "$runtime" >"$data/runtime"
    echo "$own" >"$data/version"
fi
there=$(cat "$data/version")

# The runtime has changed with 1.2.0.0: what wrote the data last cannot be gone back behind.
if [ "$(cat "$data/runtime")" = 3.11 ] && [ "$runtime" = 3.8 ]; then
    fail "this version cannot be used with Django 4.2"
fi
if [ "$(number "$there")" -gt "$(number "$own")" ]; then
    fail "version mismatch: $there is installed, and this is $own"
fi
if [ "$there" != "$own" ]; then
    echo "update $there -> $own"
    # An update file takes its own feature version, or as a new one (last number 0) the one before.
    if [ "${there%.*}" != "${own%.*}" ]; then
        [ "${own##*.}" = 0 ] || fail "version mismatch: $there cannot use the update file of $own"
        if [ "$(number "$there")" -lt "$(number 1.1.4.0)" ] && [ "$(number "$own")" -gt "$(number 1.1.4.0)" ]; then
            fail "version mismatch: $there is updated to 1.1.4.0 first"
        fi
    fi
    [ "$STAND_IN_SERVICE" != fails ] || echo "half an update" >"$data/flows.part"
    echo "$runtime" >"$data/runtime"
    echo "$own" >"$data/version"
    sed -i "\$a updated to $own" "$data/flows"
    echo "update finished"
fi

module=$(sed -n 's/^LoadModule wsgi_module //p' /etc/apache2/sites-enabled/django.conf)
[ -e "$module" ] || fail "apache2: cannot load $module into server"
[ "$STAND_IN_SERVICE" != fails ] || fail "omflow service could not be started"
[ "$STAND_IN_SERVICE" = by-hand ] || /opt/omflow/server/omflow_server start
sleep 2147483647 &
wait $!
