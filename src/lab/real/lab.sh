#!/bin/bash
# lab.sh LAB BASE GROUP NAME=ADDRESS…: runs the network and the hosts of a real lab until standard input ends. It is the first
# process of new mount, network, PID and IPC namespaces, which end with it. Prints "up" when the network is ready.
set -e
lab=$1
base=$2
group=$3
shift 3
here=$(dirname "$0")
mount --make-rprivate /
mount -t tmpfs tmpfs /run/netns
mkdir -p "$lab/base" "$lab/hosts"
mount --bind "$base" "$lab/base"
ip link set lo up
ip link add br0 type bridge
ip addr add 10.77.0.1/24 dev br0
ip link set br0 up
# Hosts need a default route, because kube-proxy requires it for service addresses. Its gateway rejects all other destinations.
sysctl -q -w net.ipv4.ip_forward=1
ip route add unreachable default
for host; do
  bash "$here/host.sh" "$lab" "$group" "${host%%=*}" "${host#*=}" >>"$lab/hosts.log" 2>&1 </dev/null &
done
echo up
cat >/dev/null
