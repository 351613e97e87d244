#!/bin/bash
# As the official one: whatever answers under the port is healthy, errors too.
exec 3<>"/dev/tcp/127.0.0.1/${NETDATA_LISTENER_PORT:-19999}"
printf 'GET /api/v1/info HTTP/1.0\r\n\r\n' >&3
read -r -t 5 line <&3 && [[ $line == HTTP/* ]]
