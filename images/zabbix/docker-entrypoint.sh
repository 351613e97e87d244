#!/bin/bash
# Starts what ZABBIX_ROLE says, configured from the official images' variables; a server first fills an empty database.
set -euo pipefail

: "${DB_SERVER_HOST:=postgres-server}" "${DB_SERVER_PORT:=5432}" "${POSTGRES_DB:=zabbix}"
: "${POSTGRES_USER:=zabbix}" "${POSTGRES_PASSWORD:=zabbix}"
: "${ZBX_SERVER_HOST:=zabbix-server}" "${ZBX_SERVER_PORT:=10051}"

ask_database() {
    PGPASSWORD=$POSTGRES_PASSWORD PGOPTIONS='--client-min-messages=error' psql --quiet --no-align --tuples-only --no-psqlrc --set=ON_ERROR_STOP=1 \
        --host="$DB_SERVER_HOST" --port="$DB_SERVER_PORT" --username="$POSTGRES_USER" --dbname="$POSTGRES_DB" "$@"
}

wait_for_database() {
    until ask_database --command='select 1' >/dev/null; do
        echo "**** PostgreSQL server is not available. Waiting 5 seconds..."
        sleep 5
    done
}

ensure_schema() {
    [[ $(ask_database --command="select to_regclass('dbversion') is not null") == f ]] || return 0
    echo "** Creating 'zabbix' schema in PostgreSQL"
    # One transaction: a first start that is killed leaves an empty database, not half a schema.
    zcat /usr/share/zabbix-server-pgsql/{schema,images,data}.sql.gz | ask_database --single-transaction >/dev/null
}

start_server() {
    wait_for_database
    ensure_schema
    cat >/etc/zabbix/zabbix_server.conf <<CONF
LogType=console
DBHost=$DB_SERVER_HOST
DBPort=$DB_SERVER_PORT
DBName=$POSTGRES_DB
DBUser=$POSTGRES_USER
DBPassword=$POSTGRES_PASSWORD
SocketDir=/run/zabbix
PidFile=/run/zabbix/zabbix_server.pid
FpingLocation=/usr/bin/fping
Timeout=4
CONF
    exec zabbix_server --foreground --config /etc/zabbix/zabbix_server.conf
}

start_agent() {
    cat >/etc/zabbix/zabbix_agentd.conf <<CONF
LogType=console
PidFile=/run/zabbix/zabbix_agentd.pid
Server=$ZBX_SERVER_HOST
ServerActive=${ZBX_ACTIVESERVERS:-$ZBX_SERVER_HOST:$ZBX_SERVER_PORT}
Hostname=${ZBX_HOSTNAME:-$(hostname)}
CONF
    exec zabbix_agentd --foreground --config /etc/zabbix/zabbix_agentd.conf
}

start_proxy() {
    # The schema it makes itself; where the file is another version's, it says so and ends.
    cat >/etc/zabbix/zabbix_proxy.conf <<CONF
LogType=console
Server=$ZBX_SERVER_HOST
Hostname=${ZBX_HOSTNAME:-zabbix-proxy-sqlite3}
DBName=/var/lib/zabbix/db_data/${ZBX_HOSTNAME:-zabbix-proxy-sqlite3}.sqlite
SocketDir=/run/zabbix
PidFile=/run/zabbix/zabbix_proxy.pid
FpingLocation=/usr/bin/fping
CONF
    exec zabbix_proxy --foreground --config /etc/zabbix/zabbix_proxy.conf
}

start_web() {
    cat >/etc/zabbix/web/zabbix.conf.php <<'CONF'
<?php
global $DB;
$DB = ['TYPE' => 'POSTGRESQL', 'SERVER' => getenv('DB_SERVER_HOST'), 'PORT' => getenv('DB_SERVER_PORT'),
    'DATABASE' => getenv('POSTGRES_DB'), 'USER' => getenv('POSTGRES_USER'), 'PASSWORD' => getenv('POSTGRES_PASSWORD'),
    'SCHEMA' => '', 'DOUBLE_IEEE754' => true];
$ZBX_SERVER = getenv('ZBX_SERVER_HOST');
$ZBX_SERVER_PORT = getenv('ZBX_SERVER_PORT');
$ZBX_SERVER_NAME = getenv('ZBX_SERVER_NAME');
$IMAGE_FORMAT_DEFAULT = IMAGE_FORMAT_PNG;
CONF
    export DB_SERVER_HOST DB_SERVER_PORT POSTGRES_DB POSTGRES_USER POSTGRES_PASSWORD ZBX_SERVER_HOST ZBX_SERVER_PORT
    # Several workers: the page about the server's state is a request from within a request.
    export PHP_CLI_SERVER_WORKERS=4
    php -S 0.0.0.0:8080 -t /usr/share/zabbix \
        -d memory_limit=256M -d post_max_size=16M -d max_execution_time=300 -d max_input_time=300 \
        -d date.timezone="${PHP_TZ:-UTC}" -d variables_order=EGPCS &
    # Not exec: as the container's first process php would not hear the signal to stop.
    trap 'kill $!; exit 0' TERM INT
    wait $!
}

[[ $# -eq 0 ]] || exec "$@"
"start_$ZABBIX_ROLE"
