#!/bin/busybox sh
# shellcheck shell=dash
# Stand-in of the programs in the images of k0s's pods and of the lab's workload, which are links to this file. The network is
# real: a bridge on each host, created by the Debian CNI plugins, and routes between the hosts.
set -u
PATH=/bin:/lab

# The number of this host in 10.77.0.0/24, which is also the number of its pod subnet in 192.168.0.0/16.
own_number() { ip -4 addr show eth0 | sed -n 's/.*inet 10\.77\.0\.\([0-9]*\).*/\1/p'; }

forever() {
  trap 'exit 0' TERM INT
  while :; do
    sleep 3600 &
    wait $!
  done
}

serve() { # PORT: 200 at the path for which image.sh made a file
  httpd -p "$1" -h "/lab/www/$1"
}

program=$(basename "$0")
# The container calico-node runs this file; its environment identifies it.
if [ "$program" = pod ] && [ -n "${CALICO_NETWORKING_BACKEND-}" ]; then program=calico-node; fi
case $program in
  install) # install-cni of Calico
    number=$(own_number)
    cp /lab/cni/* /host/opt/cni/bin/ || exit 1
    cat >/host/etc/cni/net.d/10-calico.conflist <<CNI
{"name":"k8s-pod-network","cniVersion":"0.3.1","plugins":[
{"type":"bridge","bridge":"cni0","isGateway":true,"ipMasq":false,"mtu":${CNI_MTU:-1450},
"ipam":{"type":"host-local","ranges":[[{"subnet":"192.168.$number.0/24"}]],"routes":[{"dst":"0.0.0.0/0"}]}},
{"type":"portmap","capabilities":{"portMappings":true}}]}
CNI
    ;;
  calico-ipam) ;;
  calico-node)
    case ${1-} in -felix-* | -bird-* | -shutdown | -init) exit 0 ;; esac
    number=$(own_number)
    for other in 11 12 13 14 15; do
      [ "$other" = "$number" ] || ip route replace "192.168.$other.0/24" via "10.77.0.$other"
    done
    forever
    ;;
  check-status) ;;
  proxy-agent)
    serve 8093
    forever
    ;;
  *)
    case ${1-} in
      -conf) # CoreDNS
        [ -L /coredns ] || exec /coredns "$@"
        serve 8181
        serve 8080
        ;;
      web) serve 80 ;;
    esac
    forever
    ;;
esac
