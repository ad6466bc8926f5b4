# shellcheck shell=sh
# k0s-reset.sh DATA: removes everything that a stopped k0s left on the host. DATA is its data directory. Standard input is the
# output of the shell function "stock" (facts/k0s.ts) from before k0s was started, or empty. Anything added since is removed, too.
# The shell functions stock and sysctl_file (facts/k0s.ts) and mounts_below (util/shell.ts) are defined before this text.
# `k0s reset` is not used: depending on its release, it waits for a containerd that never answers, deletes the content of volumes
# that it cannot unmount, and does not continue after a failure. This script can be repeated after an interruption at any point.
set -u
data=$(readlink -f "$1") || data=$1
run=/run/k0s
before=$(mktemp) || exit 1
trap 'rm -f "$before"' EXIT
cat >"$before"
units=/etc/systemd/system
grace=10

# own_processes: prints ID and name of each process whose program k0s unpacked.
own_processes() {
  # shellcheck disable=SC2012  # "find" of busybox does not show where links point
  ls -l /proc/[0-9]*/exe 2>/dev/null | awk -v dir="$data/bin/" '
    { at = index($0, " -> "); path = substr($0, 1, at - 1); program = substr($0, at + 4) }
    index(program, dir) == 1 {
      sub(/.*\/proc\//, "", path); sub(/\/exe$/, "", path)
      sub(/ \(deleted\)$/, "", program); sub(/.*\//, "", program)
      print path, program
    }'
}

# below ID…: prints the IDs of all descendants of processes.
below() {
  cat /proc/[0-9]*/status 2>/dev/null | awk -v ids="$*" '
    BEGIN { n = split(ids, list, " "); for (i = 1; i <= n; i++) found[list[i]] = 1 }
    $1 == "Pid:" { id = $2 }
    $1 == "PPid:" { parent[id] = $2 }
    END {
      do {
        more = 0
        for (id in parent) if (!(id in found) && (parent[id] in found)) { found[id] = 1; more = 1; print id }
      } while (more)
    }'
}

services() { own_processes | awk '$2 !~ /^containerd-shim/ { print $1 }'; }
shims() { own_processes | awk '$2 ~ /^containerd-shim/ { print $1 }'; }
# shellcheck disable=SC2046  # ids are words
contained() { below $(shims); }

# end_all LIST: terminates the processes that the command LIST prints, and kills them after a grace period.
end_all() {
  signal=TERM
  waited=0
  while ids=$("$1") && [ -n "$ids" ]; do
    # shellcheck disable=SC2086
    kill -s "$signal" $ids 2>/dev/null
    sleep 1
    waited=$((waited + 1))
    [ "$waited" -lt "$grace" ] || signal=KILL
    if [ "$waited" -gt $((grace * 3)) ]; then
      echo "Processes of k0s do not terminate: $(echo "$ids" | tr '\n' ' '). Nothing was removed." >&2
      exit 1
    fi
  done
}

# mounts WHICH: prints the mount points below the directories of k0s, the last one first. "own": mounts of k0s and its pods.
# "kept": file systems mounted at the data directory or directly below it, such as a separate disk for etcd. k0s itself only
# mounts directories onto themselves there.
mounts() {
  awk -v which="$1" -v data="$data" -v run="$run" '
    function ends(text, end) { return substr(text, length(text) - length(end) + 1) == end }
    function plain(text) { gsub(/\\040/, " ", text); gsub(/\\011/, "\t", text); gsub(/\\134/, "\\", text); return text }
    function onto_itself(i) { return root[i] != "/" && device[i] == device_of[parent[i]] && (ends(root[i], point[i]) || ends(point[i], root[i])) }
    { device_of[$1] = $3; parent[NR] = $2; device[NR] = $3; root[NR] = plain($4); point[NR] = plain($5) }
    END {
      for (i = NR; i > 0; i--) {
        below_data = index(point[i], data "/") == 1
        if (point[i] != data && !below_data && index(point[i], run "/") != 1) continue
        top = point[i] == data || (below_data && index(substr(point[i], length(data) + 2), "/") == 0)
        if ((top && !onto_itself(i)) == (which == "kept")) print point[i]
      }
    }' /proc/self/mountinfo
}

# users_of MOUNT: prints the processes that use a mount, for a message.
users_of() {
  # shellcheck disable=SC2012
  ls -l /proc/[0-9]*/cwd /proc/[0-9]*/root /proc/[0-9]*/exe /proc/[0-9]*/fd/* 2>/dev/null | awk -v dir="$1" '
    { at = index($0, " -> "); path = substr($0, 1, at - 1); target = substr($0, at + 4) }
    target == dir || index(target, dir "/") == 1 { sub(/.*\/proc\//, "", path); sub(/\/.*/, "", path); if (!(path in seen)) { seen[path] = 1; print path } }' |
    while read -r id; do printf ' %s (%s)' "$id" "$(cat "/proc/$id/comm" 2>/dev/null)"; done
}

unmount_all() {
  mounts own | while IFS= read -r point; do
    answer=$(umount "$point" 2>&1) && continue
    users=$(users_of "$point")
    if [ -n "$users" ]; then
      echo "\"$point\" cannot be unmounted, because it is used by$users. Nothing was removed. Stop these processes first."
    else
      echo "\"$point\" cannot be unmounted: $answer. Nothing was removed."
    fi
  done
}

# empty DIRECTORY: removes its content, except for kept mounts. All other mounts are unmounted before.
empty() {
  kept=$(mounts kept)
  find "$1" -mindepth 1 -maxdepth 1 ! -name lost+found | while IFS= read -r entry; do
    printf '%s\n' "$kept" | grep -qxF -e "$entry" || rm -rf -- "$entry" || exit 1
  done
}

# added KIND: prints the things of a kind that the host did not have before. Chains for single services and pods are skipped if
# kube-proxy or Calico was there before, because they manage them.
added() {
  stock all | awk -v kind="$1" -v many="$of_many" '
    NR == FNR { had[$0] = 1; if ($1 == "chain") chains[$4] = 1; next }
    $1 != kind || ($0 in had) { next }
    kind == "chain" && $4 ~ many && ((substr($4, 1, 4) == "cali" ? "cali-INPUT" : "KUBE-SERVICES") in chains) { next }
    { print substr($0, length(kind) + 2) }' "$before" -
}

# is_mounted PATH: succeeds if a file system is mounted at the path or below it.
is_mounted() { [ -n "$(mounts_below "$1" '' self)" ]; }

# remove_chain PROGRAM TABLE CHAIN: removes a chain, and the rules of other chains that jump to it.
remove_chain() {
  "$1-save" -t "$2" | awk -v chain="$3" '
    $1 == "-A" && $2 != chain { for (i = 3; i < NF; i++) if (($i == "-j" || $i == "-g") && $(i + 1) == chain) { sub(/^-A/, "-D"); print; break } }' |
    { echo "*$2"; cat; echo COMMIT; } | "$1-restore" --noflush
  "$1" -w 10 -t "$2" -F "$3" && "$1" -w 10 -t "$2" -X "$3"
}

restore_host() {
  added path | grep '^/run/netns/cni-' | while read -r name; do
    umount "$name" 2>/dev/null
    rm -f "$name"
  done
  # Select by name, because other software may have added links, routes and chains, too. Links of pods vanish with their namespaces.
  added link | grep -E '^(cni[0-9]+|cali.+|vxlan(-v6)?\.calico|wireguard\.cali.*|flannel.+|kube-.+|nodelocaldns)$' | while read -r name; do
    ip link delete "$name" 2>/dev/null || [ ! -e "/sys/class/net/$name" ] || return 1
  done || return 1
  added route | grep -vE ' proto (kernel|dhcp|ra|static|zebra|bgp|ospf|isis|rip|eigrp|babel)( |$)' | while read -r route; do
    # shellcheck disable=SC2086  # words of ip-route
    ip route delete $route || return 1
  done || return 1
  chains=$(added chain | grep -E ' (KUBE|cali|CNI|felix)-[^ ]*$')
  # Flush all new chains before the first one is removed, because they jump to each other.
  printf '%s\n' "$chains" | while read -r program table chain; do
    [ -z "$chain" ] || "$program" -w 10 -t "$table" -F "$chain" || return 1
  done || return 1
  printf '%s\n' "$chains" | while read -r program table chain; do
    [ -z "$chain" ] || remove_chain "$program" "$table" "$chain" || return 1
  done || return 1
  while read -r kind name value; do
    [ "$kind" = sysctl ] || continue
    sysctl_file "$name"
    now=
    { read -r now <"$rc"; } 2>/dev/null
    [ "$now" = "$value" ] || echo "$value" >"$rc" || return 1
  done <"$before" || return 1
  # Inner paths first.
  added path | sort -r | while read -r path; do
    if is_mounted "$path"; then
      echo "$path is not removed, because a file system is mounted there. Unmount it first." >&2
      return 1
    fi
    rm -rf -- "$path" || return 1
  done
}

for role in controller worker; do
  if [ -e "$units/k0s$role.service" ]; then systemctl stop "k0s$role.service"; fi
done
end_all services
end_all contained
end_all shims

busy=$(unmount_all)
[ -z "$busy" ] && busy=$(mounts own | sed 's/$/ is mounted again. Nothing was removed./')
if [ -n "$busy" ]; then
  printf '%s\n' "$busy" >&2
  exit 1
fi

for role in controller worker; do
  unit=k0s$role.service
  if [ -e "$units/$unit" ]; then
    systemctl disable "$unit" 2>/dev/null
    rm -f "$units/$unit"
    systemctl daemon-reload
  fi
  # A failed unit keeps its state even without its file.
  systemctl reset-failed "$unit" 2>/dev/null
done

mounts kept | while IFS= read -r point; do empty "$point" || exit 1; done || exit 1
if [ -d "$data" ]; then
  empty "$data" || exit 1
  # Keep the directory if it is a mount point, contains one, or is the target of a link that the operator made.
  if [ -z "$(mounts kept)" ] && [ ! -L "$1" ]; then rmdir "$data" || exit 1; fi
fi
rm -rf "$run" || exit 1
rm -f /etc/cni/net.d/10-calico.conflist /etc/cni/net.d/calico-kubeconfig /etc/cni/net.d/10-kuberouter.conflist
# Remove the users that k0s created: their home is the data directory.
awk -F: -v home="$1" '$6 == home { print $1 }' /etc/passwd | while read -r user; do userdel "$user" || exit 1; done || exit 1
if [ -e /sys/class/net/kube-bridge ]; then ip link delete kube-bridge || exit 1; fi
if [ -s "$before" ]; then restore_host || exit 1; fi
