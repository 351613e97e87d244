# Sourced by engine.sh: one network namespace a private engine, joined to the host by a veth pair.
# Only the slot's own namespace, link and firewall rules are ever added or removed.
# shellcheck shell=bash disable=SC2154  # dir, slots and die come from engine.sh

find_slot() { # prints this engine's number, fails where it has none
    local file
    for file in "$slots"/[0-9]*; do
        [[ -f $file && $(<"$file") == "$dir" ]] && basename "$file" && return
    done
    return 1
}

take_slot() { # the first free number
    local number
    mkdir -p "$slots"
    for number in {0..255}; do
        [[ -e $slots/$number ]] || { echo "$dir" >"$slots/$number" && return; }
    done
    die "256 engines run already, see $slots"
}

# 198.18.0.0/15 is set aside for test beds; neither Docker's own pools nor home networks use it.
subnet_prefix() { echo "198.18.$(find_slot)"; }
namespace() { echo "refloat-$(find_slot)"; }
link() { echo "refloat-veth$(find_slot)"; }

in_namespace() { nsenter --net="/run/netns/$(namespace)" "$@"; }

# Starts and stops of several engines take turns here: numbers and the host's forwarding are shared.
in_turn() { (flock 8 && "$@") 8>/run/refloat-engines.lock; }
ensure_network() { in_turn join_network; }
remove_network() { in_turn leave_network; }

join_network() {
    find_slot >/dev/null || take_slot
    in_namespace ip link show uplink >/dev/null 2>&1 && return
    remove_namespace
    make_namespace
    let_out
}

make_namespace() {
    local prefix
    prefix=$(subnet_prefix)
    ip netns add "$(namespace)"
    ip link add "$(link)" type veth peer name uplink netns "$(namespace)"
    ip address add "$prefix.1/30" dev "$(link)"
    ip link set "$(link)" up
    in_namespace ip link set lo up
    in_namespace ip address add "$prefix.2/30" dev uplink
    in_namespace ip link set uplink up
    in_namespace ip route add default via "$prefix.1"
}

remove_namespace() {
    ip link delete "$(link)" 2>/dev/null || true
    ip netns delete "$(namespace)" 2>/dev/null || true
    firewall -D 2>/dev/null || true
}

firewall() { # -I or -D: the engine's way to the package mirrors, needed by image builds only
    local mark=(-m comment --comment "$(namespace)")
    iptables -w -t nat "$1" POSTROUTING -s "$(subnet_prefix).0/30" ! -o "$(link)" "${mark[@]}" -j MASQUERADE
    iptables -w "$1" FORWARD -i "$(link)" "${mark[@]}" -j ACCEPT
    iptables -w "$1" FORWARD -o "$(link)" "${mark[@]}" -j ACCEPT
}

let_out() {
    if [[ $(</proc/sys/net/ipv4/ip_forward) != 1 ]]; then
        touch "$slots/forwarding-was-off"
        echo 1 >/proc/sys/net/ipv4/ip_forward
    fi
    firewall -I
}

leave_network() {
    find_slot >/dev/null || return 0
    kill_namespace
    remove_namespace
    rm -f "$slots/$(find_slot)"
    if [[ -f $slots/forwarding-was-off ]] && ! ls "$slots"/[0-9]* >/dev/null 2>&1; then
        echo 0 >/proc/sys/net/ipv4/ip_forward
        rm -f "$slots/forwarding-was-off"
    fi
    rmdir "$slots" 2>/dev/null || true
}

kill_namespace() { # whatever still runs in it: proxies, containers on the host network
    local pid
    for pid in $(ip netns pids "$(namespace)" 2>/dev/null); do
        kill -KILL "$pid" 2>/dev/null || true
    done
}
