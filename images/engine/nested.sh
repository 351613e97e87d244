# Sourced by engine.sh: the private engine as a privileged container on the engine at hand, where no native one can be.
# It never changes anything on that engine but its own container, volume and image.
# shellcheck shell=bash disable=SC2154  # dir, here and die come from engine.sh

nested_name() { echo "refloat-engine-$(printf '%s' "$dir" | cksum | cut -d' ' -f1)"; }
nested_possible() { command -v docker >/dev/null && docker version >/dev/null 2>&1; }

nested_start() {
    local name
    name=$(nested_name)
    docker start "$name" >/dev/null 2>&1 || nested_create "$name"
    mkdir -p "$dir"
    wait_for "the nested daemon" docker --host "$(nested_host)" version
    nested_host
}

nested_create() {
    docker build --quiet --tag "$1" "$here" >/dev/null
    docker run --detach --privileged --name "$1" --volume "$1:/var/lib/docker" --publish 127.0.0.1::2375 "$1" >/dev/null
}

nested_stop() { docker rm --force "$(nested_name)" >/dev/null 2>&1 || true; }
nested_restart() {
    docker kill --signal "$([[ ${1:-} == --kill ]] && echo KILL || echo TERM)" "$(nested_name)" >/dev/null
    docker wait "$(nested_name)" >/dev/null
    nested_start
}
nested_host() { echo "tcp://$(docker port "$(nested_name)" 2375/tcp | head -n 1)"; }
nested_address() { docker inspect --format '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}' "$(nested_name)"; }
nested_status() {
    docker --host "$(nested_host)" version >/dev/null 2>&1 || { echo "stopped ($(nested_name))"; return 3; }
    echo "running $(nested_host)"
}
