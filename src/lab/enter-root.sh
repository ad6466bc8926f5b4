# shellcheck shell=sh
# Sets up the private root of a lab host and becomes its first process.
# Runs in new user, mount, PID and UTS namespaces. Arguments: ROOT NAME SHARED
# ROOT has the host's etc, var, root, tmp, usr-local and so on. SHARED is the directory shared by all hosts of a cluster.
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
# Each start has its own boot ID; see "reboot" in the systemctl stand-in.
mkdir -p var/lib/lab
cat /proc/sys/kernel/random/uuid >var/lib/lab/boot_id
mount --bind var/lib/lab/boot_id proc/sys/kernel/random/boot_id
pivot_root . .old
cd /
umount -l /.old
rmdir /.old 2>/dev/null || :
# A restart of the host would remove the records of mount(8).
rm -rf /run/mount
echo ready
exec 3<&0 </dev/null >/dev/null 2>&1
# The first process of a PID namespace must reap orphans, which a waiting shell does. Standard input ends when the lab's process
# ends, and then the host ends. Only a signal results in an exit code of 128 or more.
trap 'exit 0' TERM
while :; do
  code=0
  cat <&3 &
  wait $! || code=$?
  [ "$code" -ge 128 ] || exit 0
done
