#!/bin/bash
# lab.sh LAB BASE GROUP NAME=ADDRESS…: the network and the hosts of a real lab, until standard input ends. Started as the first
# process of new mount, network, pid and ipc namespaces, with which all of it ends. Says "up" when the network is there.
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
# Hosts have a default route, as kube-proxy needs it for the addresses of services. It answers that nothing else can be reached.
sysctl -q -w net.ipv4.ip_forward=1
ip route add unreachable default
for host; do
  bash "$here/host.sh" "$lab" "$group" "${host%%=*}" "${host#*=}" >>"$lab/hosts.log" 2>&1 </dev/null &
done
echo up
cat >/dev/null
