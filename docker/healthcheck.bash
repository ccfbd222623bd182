#!/bin/bash
# Succeeds if /healthz of the server in this container answers 200. bash has its own TCP client: a Python, started every ten
# seconds, would cost more than the server does while nobody watches.
listen=${HEADWATER_HTTP__LISTEN:-0.0.0.0:8080}
exec 3<> "/dev/tcp/127.0.0.1/${listen##*:}" || exit 1
printf 'GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' >&3
read -r -t 4 _ status _ <&3
[ "$status" = 200 ]
