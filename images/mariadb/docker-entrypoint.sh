#!/bin/bash
# Makes a database where there is none, upgrades the system tables if told to, then starts the server as mysql.
set -euo pipefail

data=/var/lib/mysql
password=${MARIADB_ROOT_PASSWORD:-${MYSQL_ROOT_PASSWORD:-}}

note() { echo "$(date --rfc-3339=seconds) [Note] [Entrypoint]: $*"; }

start_as_mysql() {
    find "$data" \! -user mysql -exec chown mysql '{}' +
    exec setpriv --reuid=mysql --regid=mysql --clear-groups "${BASH_SOURCE[0]}" "$@"
}

start_temporary_server() {
    note "Starting temporary server"
    rm -f /run/mysqld/mysqld.sock
    mariadbd --skip-networking --skip-slave-start &
    temporary=$!
    until [[ -S /run/mysqld/mysqld.sock ]]; do
        kill -0 "$temporary"
        sleep 0.2
    done
    note "Temporary server started."
}

stop_temporary_server() {
    note "Stopping temporary server"
    kill "$temporary"
    wait "$temporary"
    note "Temporary server stopped"
}

make_database() {
    if [[ -z $password ]]; then
        echo "[ERROR] [Entrypoint]: Database is uninitialized and password option is not specified" >&2
        exit 1
    fi
    note "Initializing database files"
    mariadb-install-db --datadir="$data" --auth-root-authentication-method=normal --skip-test-db >/dev/null
    start_temporary_server
    MYSQL_PWD='' mariadb --protocol=socket --user=root <<SQL
delete from mysql.global_priv where host <> 'localhost';
delete from mysql.proxies_priv where host <> 'localhost';
flush privileges;
alter user root@localhost identified by '$password';
create user root@'%' identified by '$password';
grant all on *.* to root@'%' with grant option;
${MARIADB_DATABASE:+create database \`$MARIADB_DATABASE\`;}
SQL
    stop_temporary_server
    note "MariaDB init process done. Ready for start up."
}

upgrade_is_due() { # the first two numbers in mariadb_upgrade_info, or mysql_upgrade_info before 11, are lower, or missing
    local info=$data/mariadb_upgrade_info here=${MARIADB_VERSION%.*}
    [[ -f $info ]] || info=$data/mysql_upgrade_info
    [[ -f $info ]] || return 0
    [[ $(cut -d. -f1,2 <"$info") != "$here" ]]
}

upgrade_tables() {
    if [[ -z ${MARIADB_AUTO_UPGRADE:-} ]]; then
        note "MariaDB upgrade (mariadb-upgrade or creating healthcheck users) required, but skipped due to \$MARIADB_AUTO_UPGRADE setting"
        return
    fi
    start_temporary_server
    note "Starting mariadb-upgrade"
    MYSQL_PWD=$password mariadb-upgrade --protocol=socket --user=root
    note "Finished mariadb-upgrade"
    stop_temporary_server
}

[[ ${1:-} != -* ]] || set -- mariadbd "$@"
if [[ ${1:-} == mariadbd ]]; then
    note "Entrypoint script for MariaDB Server $MARIADB_VERSION started."
    [[ $(id -u) != 0 ]] || start_as_mysql "$@"
    if [[ ! -d $data/mysql ]]; then
        make_database
    elif upgrade_is_due; then
        upgrade_tables
    fi
fi
exec "$@"
