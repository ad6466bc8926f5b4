# shellcheck shell=sh
# Runs sshd in its own mount and PID namespaces: box.sh DIRECTORY. DIRECTORY holds etc (which overrides entries of /etc),
# home, disk (/var/lib/runner, which survives a restart), boot_id and sshd_config. The files of the machine do not change.
set -eu
box=$1
mount --make-rprivate /
mount --rbind /etc "$box/machine-etc"
mount -t tmpfs tmpfs /run
mkdir -p /run/sshd /run/sudo /run/box /var/lib/runner
# Mounts below may hide the directory, so a second mount keeps it in reach.
mount --rbind "$box" /run/box
mount -t tmpfs -o mode=755 tmpfs /etc
find /run/box/machine-etc -mindepth 1 -maxdepth 1 -type l -exec cp -a -t /etc {} +
find /run/box/machine-etc -mindepth 1 -maxdepth 1 ! -type l -printf '%f\n' |
  while read -r name; do
    if [ ! -e "/run/box/etc/$name" ]; then echo "$box/machine-etc/$name"; fi
  done |
  xargs ln -s -t /etc
cp -a /run/box/etc/. /etc/
mount --bind /run/box/home /home
mount --bind /run/box/disk /var/lib/runner
mount -t tmpfs tmpfs /root
mount -t proc proc /proc
mount --bind /run/box/boot_id /proc/sys/kernel/random/boot_id
mount -t tmpfs -o mode=1777 tmpfs /var/tmp
mount -t tmpfs -o mode=1777 tmpfs /tmp
mkdir -p "$box"
mount --rbind /run/box "$box"
umount -l /run/box
rmdir /run/box
if [ -e "$box/setup.sh" ]; then . "$box/setup.sh"; fi
exec /usr/sbin/sshd -D -e -f "$box/sshd_config"
