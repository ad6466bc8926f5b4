#!/bin/bash
# host.sh LAB GROUP NAME ADDRESS: runs one host of the real lab, including its reboots, until it is powered off. Runs in the
# namespaces of the lab. LAB is the lab's directory, GROUP the name of its control group.
lab=$1
group=$2
name=$3
address=$4
dir=$lab/hosts/$name
root=$dir/root
hierarchies='cpu cpuacct cpuset memory devices freezer blkio pids'

if [ "${5-}" = init ]; then # in the namespaces of the host: fill /proc, /sys, /dev and /run, then become systemd
  set -e
  mount --make-rprivate /
  hostname "$name"
  mount -t proc proc "$root/proc"
  mount -t sysfs sysfs "$root/sys"
  mount -t tmpfs -o mode=755 tmpfs "$root/run"
  mount -t tmpfs -o mode=755 tmpfs "$root/dev"
  mkdir "$root"/dev/{pts,shm,net}
  mount -t devpts -o newinstance,ptmxmode=666,mode=620,gid=5 devpts "$root/dev/pts"
  mount -t tmpfs tmpfs "$root/dev/shm"
  for device in null:1:3 zero:1:5 full:1:7 random:1:8 urandom:1:9 tty:5:0 kmsg:1:11 fuse:10:229 net/tun:10:200; do
    IFS=: read -r path major minor <<<"$device"
    mknod -m 666 "$root/dev/$path" c "$major" "$minor"
  done
  ln -s pts/ptmx "$root/dev/ptmx"
  ln -s /proc/self/fd "$root/dev/fd"
  for stream in 0:stdin 1:stdout 2:stderr; do ln -s "fd/${stream%:*}" "$root/dev/${stream#*:}"; done
  ln -s null "$root/dev/console"
  if [ -d /sys/fs/cgroup/systemd ]; then
    mount -t tmpfs -o mode=755 tmpfs "$root/sys/fs/cgroup"
    for hierarchy in $hierarchies; do
      [ -d "/sys/fs/cgroup/$hierarchy" ] || continue
      mkdir "$root/sys/fs/cgroup/$hierarchy"
      mount -t cgroup -o "$hierarchy" cgroup "$root/sys/fs/cgroup/$hierarchy"
    done
    mkdir "$root"/sys/fs/cgroup/{systemd,unified}
    mount -t cgroup -o none,name=systemd cgroup "$root/sys/fs/cgroup/systemd"
    mount -t cgroup2 cgroup "$root/sys/fs/cgroup/unified" 2>/dev/null || rmdir "$root/sys/fs/cgroup/unified"
  else
    mount -t cgroup2 cgroup "$root/sys/fs/cgroup"
  fi
  mount --bind "$dir/docker" "$root/var/lib/docker"
  # Each boot has its own boot ID, as on a real machine.
  cat /proc/sys/kernel/random/uuid >"$root/run/boot_id"
  mount --bind "$root/run/boot_id" "$root/proc/sys/kernel/random/boot_id"
  # A kubelet changes settings of the kernel, which all hosts share: replace them with files of the host.
  for setting in vm/overcommit_memory vm/panic_on_oom kernel/panic kernel/panic_on_oops kernel/keys/root_maxkeys kernel/keys/root_maxbytes; do
    [ -e "/proc/sys/$setting" ] || continue
    own=$root/run/sysctl-${setting//\//-}
    cat "/proc/sys/$setting" >"$own"
    mount --bind "$own" "$root/proc/sys/$setting"
  done
  cd "$root"
  mkdir -p .old
  pivot_root . .old
  umount -l /.old
  rmdir /.old
  mount --make-rshared /
  exec env -i container=lab PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin /sbin/init
fi

# The host must be in its own control groups before it gets a control group namespace, which uses them as roots.
for directory in /sys/fs/cgroup /sys/fs/cgroup/*; do
  [ -e "$directory/cgroup.procs" ] || continue
  case $directory in /sys/fs/cgroup) [ ! -d /sys/fs/cgroup/systemd ] || continue ;; esac
  own=$directory/$group/$name
  mkdir -p "$own" || continue
  if [ -e "$directory/cpuset.cpus" ] && [ -e "$directory/cpuset.mems" ] && [ ! -e "$directory/cgroup.controllers" ]; then
    for level in "$directory/$group" "$own"; do
      for file in cpus mems; do cat "$directory/cpuset.$file" >"$level/cpuset.$file"; done
      echo 1 >"$level/cgroup.clone_children"
    done
  fi
  echo $$ >"$own/cgroup.procs"
done

ip netns add "$name"
# Docker drops forwarded packets if it turned forwarding on. On real nodes, the Calico chains accept packets of pods.
ip netns exec "$name" sysctl -q -w net.ipv4.ip_forward=1
ip -n "$name" link set lo up
ip link add "v-$name" type veth peer name eth0 netns "$name"
ip link set "v-$name" master br0 up
ip -n "$name" addr add "$address/24" dev eth0
ip -n "$name" link set eth0 up
ip -n "$name" route add default via 10.77.0.1
mkdir -p "$dir"/{upper,work,root,docker}
mount -t overlay "$name" -o "lowerdir=$lab/kit:$lab/base,upperdir=$dir/upper,workdir=$dir/work" "$root"
echo "$name" >"$root/etc/hostname"
mkdir -p "$root/var/lib/docker"
while began=$SECONDS; do
  nsenter --net="/run/netns/$name" unshare -m -u -i -p -C -T --boottime "-$(cut -d. -f1 /proc/uptime)" --fork --kill-child \
    bash "$0" "$lab" "$group" "$name" "$address" init >>"$dir/console.log" 2>&1 </dev/null
  # SIGHUP: reboot; SIGINT: power off; any other end after a moment: power failure.
  case $? in
    129) ;;
    130) exit 0 ;;
    *) [ $((SECONDS - began)) -gt 1 ] || exit 1 ;;
  esac
done
