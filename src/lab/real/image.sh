#!/bin/bash
# image.sh BASE POD-SCRIPT OUT NAME…: one image with several names, as `docker save` writes it, without any registry: busybox, the
# CNI plugins of Debian, and POD-SCRIPT under the names of the programs that k0s's pods run.
set -euo pipefail
base=$1
script=$2
out=$3
shift 3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/root
mkdir -p "$root"/{bin,lab/cni,tmp,etc,opt/cni/bin,usr/local/bin,usr/bin,coredns.d}
chmod 1777 "$root/tmp"
cp "$base/bin/busybox" "$root/bin/busybox"
chroot "$base" busybox --list | while read -r applet; do [ "$applet" = busybox ] || ln -s busybox "$root/bin/$applet"; done
cp "$base"/usr/lib/cni/{bridge,host-local,loopback,portmap} "$root/lab/cni/"
install -m 755 "$script" "$root/lab/pod"
echo 'root:x:0:0:root:/:/bin/sh' >"$root/etc/passwd"
for program in bin/calico-node opt/cni/bin/install opt/cni/bin/calico-ipam usr/local/bin/kube-proxy usr/bin/kube-controllers \
  usr/bin/check-status proxy-agent metrics-server coredns pause; do
  rm -f "$root/$program"
  ln -s /lab/pod "$root/$program"
done
tar --sort=name --mtime=@0 --owner=0 --group=0 -C "$root" -cf "$work/layer.tar" .
sum=$(sha256sum "$work/layer.tar" | cut -d' ' -f1)
printf '{"architecture":"amd64","os":"linux","config":{"Entrypoint":["/lab/pod"],"Env":["PATH=/bin"]},"rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' "$sum" >"$work/config.json"
names=$(printf '"%s",' "$@")
printf '[{"Config":"config.json","RepoTags":[%s],"Layers":["layer.tar"]}]' "${names%,}" >"$work/manifest.json"
mkdir -p "$(dirname "$out")"
tar -C "$work" -cf "$out" manifest.json config.json layer.tar
