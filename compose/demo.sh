#!/usr/bin/env bash
# The demo: a Prometheus with scraped data, an upgrade that succeeds, one that fails and comes back by itself.
#
#   demo.sh          (what `make demo` runs)
#   demo.sh clean    remove all of it again
#
# It uses the engine at DOCKER_HOST or the default socket, else starts the private one; it touches nothing on
# that engine but what is called refloat-demo….
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(dirname "$here")
name=refloat-demo-prometheus
lab=refloat-lab

bold='' plain=''
[[ ! -t 1 ]] || { bold=$'\033[1m' plain=$'\033[0m'; }
say() { printf '\n%s%s%s\n' "$bold" "$*" "$plain"; }
run() { printf '$ %s\n' "$*"; "$@"; }
refloat() { printf '$ refloat %s\n' "$*"; "$root/.venv/bin/refloat" "$@"; }
die() { printf 'demo: %s\n' "$*" >&2; exit 1; }

choose_engine() {
    if command -v docker >/dev/null && docker version >/dev/null 2>&1; then
        say "Using the engine at ${DOCKER_HOST:-the default socket}."
        return
    fi
    say "No Docker engine answers here: starting a private one."
    DOCKER_HOST=$("$root/images/engine/engine.sh" start)
    export DOCKER_HOST
}

build_images() {
    say "Images: three real versions of Prometheus, a node exporter, and the tools that copy data."
    (cd "$root" && python3 -m images.build tools "$lab/busybox:1" "$lab/node-exporter:1.5.0" \
        "$lab"/prometheus:{2.42.0,2.53.3,3.5.3})
}

remove_all() {
    docker ps --all --quiet --filter "name=^refloat-demo-" | xargs -r docker rm --force --volumes >/dev/null
    docker volume ls --quiet --filter "name=^refloat-demo-" | xargs -r docker volume rm >/dev/null
    docker network ls --quiet --filter "name=^refloat-demo$" | xargs -r docker network rm >/dev/null
}

start_stack() {
    say "A Prometheus 2.42.0 on a volume, scraping a node exporter."
    docker network create refloat-demo >/dev/null
    docker run --rm --interactive --volume refloat-demo-config:/config "$lab/busybox:1" \
        sh -c 'cat >/config/prometheus.yml' <"$here/prometheus.yml"
    docker run --detach --name refloat-demo-node --network refloat-demo --network-alias node-exporter \
        --restart unless-stopped "$lab/node-exporter:1.5.0" >/dev/null
    # --storage.tsdb.retention is deprecated since 2.7 and gone in 3.0: the second upgrade stumbles over it.
    run docker run --detach --name "$name" --network refloat-demo --restart unless-stopped \
        --volume refloat-demo-data:/prometheus --volume refloat-demo-config:/etc/prometheus:ro "$lab/prometheus:2.42.0" \
        --config.file=/etc/prometheus/prometheus.yml --storage.tsdb.path=/prometheus --storage.tsdb.retention=15d
}

value() { # of a query that yields one number; 0 while there is none
    docker exec "$name" promtool query instant http://localhost:9090 "$1" 2>/dev/null |
        sed -nE 's/.*=> ([0-9]+).*/\1/p' | grep . || echo 0
}
series() { value 'count(last_over_time({__name__=~".+"}[1h]))'; }
version() { docker exec "$name" prometheus --version 2>&1 | sed -nE '1s/.*version ([0-9.]+).*/\1/p'; }
show() { echo "Prometheus $(version): $(series) series, node exporter seen up $(value 'sum_over_time(up{job="node"}[1h])') times."; }

wait_for_data() {
    local tries=0
    until (($(value 'sum_over_time(up{job="node"}[1h])') >= 5)); do
        ((++tries < 120)) || die "the node exporter is not scraped; look at: docker logs $name"
        sleep 0.5
    done
}

upgrade_that_succeeds() {
    local before
    before=$(series)
    say "First the plan; nothing is touched."
    refloat plan "$name" --to 2.53.3
    say "Then the upgrade, on the data as it is."
    refloat apply "$name" --to 2.53.3 --yes
    say "The new version answers with the old data:"
    wait_for_data
    show
    (($(series) >= before)) || die "series were lost: $before before"
}

upgrade_that_fails() {
    local before code=0
    before=$(series)
    say "Now one that cannot work: 3.5.3 no longer knows --storage.tsdb.retention."
    echo "What changes incompatibly on the way there must be acknowledged first:"
    refloat notes "$name" --to 3.5.3 --ack three-flags --ack content-type --ack le-labels
    refloat apply "$name" --to 3.5.3 --yes || code=$?
    ((code == 5)) || die "expected it to come back with exit status 5, not $code"
    say "Exit status 5: it failed and is back where it was, by itself:"
    wait_for_data
    show
    [[ $(version) == 2.53.3 ]] || die "not back on 2.53.3"
    (($(series) >= before)) || die "series were lost: $before before"
}

what_next() {
    say "Try next:"
    [[ -z ${DOCKER_HOST:-} ]] || echo "  export DOCKER_HOST=$DOCKER_HOST"
    cat <<END
  .venv/bin/refloat history $name           what happened
  .venv/bin/refloat rollback $name          back to 2.42.0 and its data
  .venv/bin/refloat plan $name --to 3.5.3   what an upgrade would do
  .venv/bin/refloat ls                                         everything here, and what can be upgraded
  compose/demo.sh clean                                        remove the demo
END
}

choose_engine
# Output of refloat goes where ours goes: one story.
exec 2>&1
case ${1:-} in
clean) remove_all && say "Removed." ;;
"")
    build_images
    remove_all
    start_stack
    wait_for_data
    show
    upgrade_that_succeeds
    upgrade_that_fails
    what_next
    ;;
*) die "usage: demo.sh [clean]" ;;
esac
