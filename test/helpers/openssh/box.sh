# shellcheck shell=sh
# Runs sshd in mount and process namespaces of its own: box.sh FOLDER. FOLDER holds etc (copied over /etc), home,
# boot_id and sshd_config; the machine's own files stay as they are. Ends when its parent does.
set -eu
box=$1
mount --make-rprivate /
cp -a /etc "$box/whole-etc"
cp -a "$box/etc/." "$box/whole-etc/"
chown -R 0:0 "$box/etc"
for file in sudoers sudoers.d/box doas.conf; do
  if [ -e "$box/whole-etc/$file" ]; then
    chown 0:0 "$box/whole-etc/$file"
    chmod 0440 "$box/whole-etc/$file"
  fi
done
mount --bind "$box/whole-etc" /etc
mount --bind "$box/home" /home
mount -t tmpfs tmpfs /root
mount -t proc proc /proc
mount --bind "$box/boot_id" /proc/sys/kernel/random/boot_id
mount -t tmpfs tmpfs /run
mkdir -p /run/sshd /run/sudo /var/lib/runner
mount -t tmpfs tmpfs /var/lib/runner
mount -t tmpfs -o mode=1777 tmpfs /var/tmp
if [ -e "$box/setup.sh" ]; then . "$box/setup.sh"; fi
exec /usr/sbin/sshd -D -e -f "$box/sshd_config"
