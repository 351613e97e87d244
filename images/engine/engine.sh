#!/usr/bin/env bash
# A private Docker engine with its own data, sockets and network namespace; it never touches another daemon.
#
#   engine.sh start | stop | restart [--kill] | host | address | status
#
# ENGINE_DIR says where it lives (default: .engine at the top of the tree); engines with different
# directories run side by side. `stop` keeps the data (images, volumes) and leaves nothing else.
# On Debian or Ubuntu as root it is the distribution's docker.io; elsewhere a container on the engine at hand.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
dir=$(realpath -m "${ENGINE_DIR:-$here/../../.engine}")
socket=$dir/docker.sock
slots=/run/refloat-engines # one file a running engine: its number is the name, its directory the content

say() { printf 'engine: %s\n' "$*" >&2; }
die() { say "$@"; exit 1; }

# shellcheck source=network.sh
source "$here/network.sh"
# shellcheck source=nested.sh
source "$here/nested.sh"

missing_commands() {
    local each
    for each in dockerd containerd runc docker iptables ip nsenter flock; do
        command -v "$each" >/dev/null || echo "$each"
    done
}

ensure_installed() {
    [[ -z $(missing_commands) ]] || "$here/../packages.sh"
    [[ -z $(missing_commands) ]] || die "still missing after installing docker.io and iptables: $(missing_commands | xargs)"
}

native_possible() {
    [[ $(uname -s) == Linux && $EUID == 0 ]] || return 1
    [[ -z $(missing_commands) ]] || command -v apt-get >/dev/null
}

lives() { [[ -n $(tr -d '\0' 2>/dev/null <"/proc/$1/cmdline") ]]; } # a zombie has no command line any more
running_pid() { # the pid in file $1, if that process is the program $2
    local pid
    pid=$(cat "$1" 2>/dev/null) || return 1
    [[ -n $pid && $(cat "/proc/$pid/comm" 2>/dev/null) == "$2" ]] && lives "$pid" && echo "$pid"
}
daemon_pid() { running_pid "$dir/docker.pid" dockerd; }
containerd_pid() { running_pid "$dir/containerd.pid" containerd; }

answers() { docker --host "unix://$socket" version >/dev/null 2>&1; }

start_containerd() {
    containerd_pid >/dev/null && return
    # Its own containerd: dockerd would otherwise share a system-wide one with another daemon.
    printf 'version = 2\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n[plugins."io.containerd.internal.v1.opt"]\npath = "%s"\n' \
        "$dir/data/containerd-opt" >"$dir/containerd.toml"
    # Without a subshell's exec the pid would be bash's, not the daemon's.
    (exec nsenter --net="/run/netns/$(namespace)" setsid containerd --config "$dir/containerd.toml" --log-level warn --address "$dir/containerd.sock" \
        --root "$dir/data/containerd" --state "$dir/exec/containerd" >>"$dir/log" 2>&1 9>&-) &
    echo $! >"$dir/containerd.pid"
    wait_for "containerd" test -S "$dir/containerd.sock"
}

start_daemon() {
    start_containerd
    daemon_pid >/dev/null || {
        rm -f "$dir/docker.pid"
        (exec nsenter --net="/run/netns/$(namespace)" setsid unshare --uts dockerd --data-root "$dir/data" --exec-root "$dir/exec" \
            --pidfile "$dir/docker.pid" --containerd "$dir/containerd.sock" --tls=false \
            --host "unix://$socket" >>"$dir/log" 2>&1 9>&-) &
    }
    wait_for "the daemon" answers
}

wait_for() { # what, then the command that says it is there
    local what=$1 tries=0
    shift
    until "$@"; do
        if ((++tries > 300)); then
            tail -n 20 "$dir/log" >&2 || true
            die "$what does not answer after 60 s; the end of its log is above, if it has one"
        fi
        sleep 0.2
    done
}

end_process() { # pid, signal; SIGKILL when it is still there after 30 s
    local pid=$1 tries=0
    [[ -n $pid ]] || return 0
    kill "-$2" "$pid" 2>/dev/null || return 0
    while lives "$pid"; do
        ((++tries < 300)) || kill -KILL "$pid" 2>/dev/null || true
        sleep 0.1
    done
}

# Shims outlive their daemon, and containers their shim: first the containers, then the shims.
end_leftover_containers() {
    local shim
    for shim in $(pgrep -f "containerd-shim.* -address $dir/containerd.sock" || true); do
        pkill -KILL -P "$shim" || true
        kill -KILL "$shim" 2>/dev/null || true
    done
}

unmount_all() {
    local mount
    awk -v dir="$dir/" 'index($5, dir) == 1 { print $5 }' /proc/self/mountinfo | sort -r | while read -r mount; do
        umount -l "$(printf '%b' "$mount")" 2>/dev/null || true
    done
}

native_start() {
    ((${#socket} < 100)) || die "the path $socket is too long for a socket; choose a shorter ENGINE_DIR"
    ensure_installed
    mkdir -p "$dir/data" "$dir/exec"
    exec 9>"$dir/lock"
    flock 9
    ensure_network
    start_daemon
    native_host
}

native_stop() {
    [[ -d $dir ]] || return 0
    exec 9>"$dir/lock"
    flock 9
    end_process "$(daemon_pid)" TERM
    end_leftover_containers
    end_process "$(containerd_pid)" TERM
    unmount_all
    remove_network
    rm -rf "$dir/exec" "$dir"/docker.{sock,pid} "$dir"/containerd.{sock,sock.ttrpc,pid,toml}
}

native_restart() {
    native_status >/dev/null || die "no engine runs in $dir; start it with: $0 start"
    exec 9>"$dir/lock"
    flock 9
    end_process "$(daemon_pid)" "$([[ ${1:-} == --kill ]] && echo KILL || echo TERM)"
    start_daemon
    native_host
}

native_host() { echo "unix://$socket"; }
native_address() { find_slot >/dev/null && echo "$(subnet_prefix).2" || die "no engine runs in $dir; start it with: $0 start"; }
native_status() {
    if ! daemon_pid >/dev/null || ! answers; then
        echo "stopped ($dir)"
        return 3
    fi
    echo "running unix://$socket, version $(docker --host "unix://$socket" version -f '{{.Server.Version}}')"
}

explain() {
    die "cannot make a private engine here: it needs root on Debian or Ubuntu (it installs docker.io and iptables by itself)," \
        "or a Docker engine at DOCKER_HOST or the default socket that may run a privileged container." \
        "Install docker.io and iptables, or start Docker, then try again."
}

verb=${1:-}
case $verb in
start | stop | restart | host | address | status) ;;
*) die "usage: $0 start | stop | restart [--kill] | host | address | status" ;;
esac
shift
if native_possible; then
    "native_$verb" "$@"
elif nested_possible; then
    "nested_$verb" "$@"
else
    explain
fi
