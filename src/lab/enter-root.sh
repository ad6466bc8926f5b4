# shellcheck shell=sh
# Builds the private root of one lab host and becomes its first process.
# Runs inside fresh user, mount, pid and uts namespaces. Arguments: ROOT NAME SHARED
# ROOT holds the host's own etc, var, root, tmp, usr-local and so on; SHARED is the folder all hosts of a cluster see.
set -e
PATH=$PATH:/usr/sbin:/sbin
root=$1 name=$2 shared=$3
mount --make-rprivate /
hostname "$name"
new=$root/.root
mkdir -p "$new"
mount --bind "$new" "$new"
cd "$new"
for dir in etc var opt root run tmp home srv mnt; do
  mkdir -p "$dir" "$root/$dir"
  mount --bind "$root/$dir" "$dir"
done
mkdir -p usr dev proc .old
mount --rbind /usr usr
mount -o remount,bind,ro usr
mount --bind "$root/usr-local" usr/local
for dir in bin sbin lib lib32 lib64 libx32; do
  if [ -L "/$dir" ]; then
    [ -e "$dir" ] || ln -s "$(readlink "/$dir")" "$dir"
  elif [ -d "/$dir" ]; then
    mkdir -p "$dir"
    mount --rbind "/$dir" "$dir"
    mount -o remount,bind,ro "$dir"
  fi
done
if [ -d /etc/alternatives ]; then
  mkdir -p etc/alternatives
  mount --bind /etc/alternatives etc/alternatives
fi
mkdir -p run/cluster
mount --bind "$shared" run/cluster
mount -t proc proc proc
mount -t tmpfs -o mode=755 tmpfs dev
for device in null zero full random urandom tty; do
  : >"dev/$device"
  mount --bind "/dev/$device" "dev/$device"
done
ln -s /proc/self/fd dev/fd
mkdir dev/shm
# Each start has an id of its own; see "reboot" in the stand-in of systemctl.
mkdir -p var/lib/lab
cat /proc/sys/kernel/random/uuid >var/lib/lab/boot_id
mount --bind var/lib/lab/boot_id proc/sys/kernel/random/boot_id
pivot_root . .old
cd /
umount -l /.old
rmdir /.old 2>/dev/null || :
# What mount(8) notes there would not outlive a restart of the host.
rm -rf /run/mount
echo ready
exec 3<&0 </dev/null >/dev/null 2>&1
# The first process of a pid namespace must collect orphans; a shell that waits does. The end of its input is the end
# of the lab's process, however that ended: then the host ends, too. Only a signal makes the code 128 or more.
trap 'exit 0' TERM
while :; do
  code=0
  cat <&3 &
  wait $! || code=$?
  [ "$code" -ge 128 ] || exit 0
done
