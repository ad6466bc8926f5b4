#!/bin/bash
# base.sh DIRECTORY: builds the root file system of all real lab hosts from Debian packages. Takes about a minute, once.
set -euo pipefail
base=$1
mirror=$(awk '/^URIs:/ { print $2; exit }' /etc/apt/sources.list.d/*.sources 2>/dev/null || true)
[ -n "$mirror" ] || mirror=$(awk '$1 == "deb" { for (i = 2; i <= NF; i++) if ($i ~ /:\/\//) { print $i; exit } }' /etc/apt/sources.list)
mmdebstrap --quiet --variant=minbase --mode=root \
  --include=systemd,systemd-sysv,dbus,libpam-systemd,openssh-server,sudo,iproute2,iptables,nftables,procps,ca-certificates,docker.io,busybox-static,jq,curl,netbase,iputils-ping,openssl,etcd-server,etcd-client,cron,unzip,zstd,containernetworking-plugins,kmod \
  --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
  bookworm "$base" "deb $mirror bookworm main"

chroot "$base" useradd -m -s /bin/bash -G sudo,docker deploy
echo 'deploy ALL=(ALL) NOPASSWD:ALL' >"$base/etc/sudoers.d/deploy"
chmod 440 "$base/etc/sudoers.d/deploy"
rm -f "$base"/etc/ssh/ssh_host_*
: >"$base/etc/machine-id"
rm -f "$base/etc/resolv.conf"
: >"$base/etc/resolv.conf"
: >"$base/etc/default/locale"
printf 'UseDNS no\nHostKey /etc/ssh/ssh_host_ed25519_key\nMaxStartups 100:30:200\nMaxSessions 100\n' >"$base/etc/ssh/sshd_config.d/lab.conf"
# Each host gets its own machine ID and host key at its first boot.
cat >"$base/etc/systemd/system/lab-hostkeys.service" <<'UNIT'
[Unit]
Before=ssh.service
ConditionPathExists=!/etc/ssh/ssh_host_ed25519_key
[Service]
Type=oneshot
ExecStart=/usr/bin/ssh-keygen -q -t ed25519 -N "" -f /etc/ssh/ssh_host_ed25519_key
[Install]
WantedBy=multi-user.target
UNIT
# runc without features that need CAP_SYS_RESOURCE, which a sandbox can lack.
cat >"$base/usr/local/sbin/runc-lab" <<'RUNC'
#!/bin/sh
bundle=
last=
for word; do
  case "$last" in --bundle | -b) bundle=$word ;; esac
  last=$word
done
[ -n "$bundle" ] && sed -i -e 's/"oomScoreAdj":-[0-9]*/"oomScoreAdj":0/' -e 's/"CAP_SYS_RESOURCE",//g; s/,"CAP_SYS_RESOURCE"//g' "$bundle/config.json"
exec /usr/sbin/runc "$@"
RUNC
chmod 755 "$base/usr/local/sbin/runc-lab"
mkdir -p "$base/etc/docker" "$base/opt/lab"
echo '{"runtimes":{"lab":{"path":"/usr/local/sbin/runc-lab"}},"default-runtime":"lab","dns":["127.0.0.1"]}' >"$base/etc/docker/daemon.json"
chroot "$base" systemctl -q enable lab-hostkeys ssh docker
chroot "$base" systemctl -q disable etcd
# An MKE 3 host runs etcd in a container and has no user for it.
chroot "$base" userdel etcd
chroot "$base" systemctl -q set-default multi-user.target
# Disable timers and units that would affect the machine of the lab.
for unit in getty.target console-getty.service systemd-udevd.service systemd-udev-trigger.service systemd-udevd-control.socket \
  systemd-udevd-kernel.socket systemd-modules-load.service systemd-sysctl.service systemd-binfmt.service systemd-timesyncd.service \
  systemd-networkd.service systemd-resolved.service modprobe@.service systemd-update-utmp-runlevel.service e2scrub_reap.service \
  systemd-pstore.service sys-kernel-debug.mount sys-kernel-tracing.mount sys-kernel-config.mount dev-hugepages.mount dev-mqueue.mount \
  apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer fstrim.timer; do
  ln -sf /dev/null "$base/etc/systemd/system/$unit"
done

# One image for all MKE 3 containers: busybox, etcd, and the programs for the backup.
image=$(mktemp -d)
mkdir -p "$image/bin" "$image/lib" "$image/etc" "$image/tmp"
cp "$base/bin/busybox" "$image/bin"
chroot "$base" busybox --list | while read -r applet; do [ "$applet" = busybox ] || ln -s busybox "$image/bin/$applet"; done
for program in etcd etcdctl curl jq; do
  rm -f "$image/bin/$program"
  cp -L "$base/usr/bin/$program" "$image/bin/"
  chroot "$base" ldd "/usr/bin/$program" 2>/dev/null | awk '$2 == "=>" { print $3 } $1 ~ /^\// { print $1 }' | while read -r library; do
    mkdir -p "$image$(dirname "$library")"
    cp -L "$base$library" "$image$library"
  done
done
# `mirantis/ucp backup`: writes the MKE 3 volumes to one archive, in a container that the engine starts.
cat >"$image/bin/ucp" <<'UCP'
#!/bin/sh
set -e
[ "$1" = backup ] || { echo "ucp (stand-in): $1 is not known here" >&2; exit 2; }
shift
file=
while [ $# -gt 0 ]; do
  case $1 in --file) file=$2; shift ;; esac
  shift
done
[ -n "$file" ] || { echo 'ucp (stand-in): backup needs --file' >&2; exit 2; }
engine() { curl -sSf --unix-socket /var/run/docker.sock -H 'content-type: application/json' "$@"; }
self=$(engine "http://engine/containers/$(hostname)/json")
directory=$(echo "$self" | jq -r '.Mounts[] | select(.Destination == "/backup") | .Source')
image=$(echo "$self" | jq -r .Config.Image)
volumes='ucp-kv ucp-cluster-root-ca ucp-client-root-ca ucp-controller-server-certs'
binds=$(for volume in $volumes; do printf '"%s:/volumes/%s:ro",' "$volume" "$volume"; done)
id=$(engine -X POST "http://engine/containers/create" -d "{\"Image\":\"$image\",\"Entrypoint\":[\"/bin/tar\"],\"Cmd\":[\"-cf\",\"/backup/$file\",\"-C\",\"/volumes\",\".\"],\"HostConfig\":{\"Binds\":[${binds}\"$directory:/backup\"],\"NetworkMode\":\"none\"}}" | jq -r .Id)
engine -X POST "http://engine/containers/$id/start"
code=$(engine -X POST "http://engine/containers/$id/wait" | jq -r .StatusCode)
engine -X DELETE "http://engine/containers/$id"
exit "$code"
UCP
chmod 755 "$image/bin/ucp"
tar -C "$image" -cf "$base/opt/mke3-image.tar" .
rm -rf "$image" "$base"/var/lib/apt/lists/* "$base"/var/cache/apt/* "$base"/var/lib/etcd
