# shellcheck shell=sh
# Shared by the stand-ins of the embedded lab.
lab=/var/lib/lab
docker=$lab/docker
cluster=/run/cluster
host=$(hostname)

die() {
  echo "$*" >&2
  exit 1
}

# set_kubelet VERSION READY RUNTIME: sets the status of this node in its node object.
set_kubelet() {
  mkdir -p "$cluster/kube/nodes/$host"
  [ -z "$1" ] || printf '%s\n' "$1" >"$cluster/kube/nodes/$host/version"
  [ -z "$3" ] || printf '%s\n' "$3" >"$cluster/kube/nodes/$host/runtime"
  printf '%s\n' "$2" >"$cluster/kube/nodes/$host/ready"
}

# field NAME FILE: sets $said to the only line of a container's file. Starts no process, because there are many containers.
field() {
  said=
  { read -r said <"$docker/containers/$1/$2"; } 2>/dev/null
}

running() {
  field "$1" state
  [ "$said" = running ]
}
