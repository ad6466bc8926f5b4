# shellcheck shell=sh
# Shared by the stand-ins of the embedded lab.
lab=/var/lib/lab
docker=$lab/docker
cluster=/run/cluster
read -r host </proc/sys/kernel/hostname

die() {
  echo "$*" >&2
  exit 1
}

# set_kubelet VERSION READY RUNTIME: sets the status of this node in its node object.
set_kubelet() {
  [ -d "$cluster/kube/nodes/$host" ] || mkdir -p "$cluster/kube/nodes/$host"
  [ -z "$1" ] || printf '%s\n' "$1" >"$cluster/kube/nodes/$host/version"
  [ -z "$3" ] || printf '%s\n' "$3" >"$cluster/kube/nodes/$host/runtime"
  printf '%s\n' "$2" >"$cluster/kube/nodes/$host/ready"
}

# read_line FILE: sets $said to the only line of a file, or to nothing. Starts no process: the lab reads many such files.
read_line() {
  said=
  { read -r said <"$1"; } 2>/dev/null
}

# field NAME FILE: sets $said to the only line of a container's file.
field() { read_line "$docker/containers/$1/$2"; }

running() {
  field "$1" state
  [ "$said" = running ]
}
