#!/bin/bash
# Options alone mean the server, as in the official image; no user or database is made at the first start.
set -e
[[ ${1:0:1} != - ]] || set -- influxd "$@"
exec "$@"
