#!/bin/bash
# Makes a cluster where there is none, then starts the server as postgres; the official image's variables hold.
set -euo pipefail

start_as_postgres() {
    mkdir -p "$PGDATA"
    chmod 0700 "$PGDATA"
    find "$PGDATA" /var/run/postgresql \! -user postgres -exec chown postgres '{}' +
    exec setpriv --reuid=postgres --regid=postgres --clear-groups "${BASH_SOURCE[0]}" "$@"
}

make_cluster() {
    local user=${POSTGRES_USER:-postgres} auth=scram-sha-256
    if [[ ${POSTGRES_HOST_AUTH_METHOD:-} == trust ]]; then
        auth=trust
    elif [[ -z ${POSTGRES_PASSWORD:-} ]]; then
        echo "Error: Database is uninitialized and superuser password is not specified." >&2
        echo "       You must specify POSTGRES_PASSWORD to a non-empty value for the superuser." >&2
        exit 1
    fi
    # shellcheck disable=SC2086  # POSTGRES_INITDB_ARGS is a list of words
    initdb --username="$user" --pwfile=<(printf '%s\n' "${POSTGRES_PASSWORD:-unused}") ${POSTGRES_INITDB_ARGS:-}
    printf '\nhost all all all %s\n' "$auth" >>"$PGDATA/pg_hba.conf"
    pg_ctl --wait start -o "-c listen_addresses=''"
    [[ ${POSTGRES_DB:-$user} == postgres ]] || createdb --username="$user" "${POSTGRES_DB:-$user}"
    run_init_scripts "$user"
    pg_ctl --wait --mode=fast stop
    echo "PostgreSQL init process complete; ready for start up."
}

run_init_scripts() {
    local each
    for each in /docker-entrypoint-initdb.d/*.sql; do
        [[ ! -f $each ]] || psql --set=ON_ERROR_STOP=1 --no-password --username="$1" --dbname="${POSTGRES_DB:-$1}" --file="$each"
    done
}

[[ ${1:-} != -* ]] || set -- postgres "$@"
if [[ ${1:-} == postgres ]]; then
    [[ $(id -u) != 0 ]] || start_as_postgres "$@"
    [[ -s $PGDATA/PG_VERSION ]] || make_cluster
fi
exec "$@"
