#!/bin/bash
# image.sh BASE POD-SCRIPT OUT COREDNS KUBE-PROXY NAME…: writes one image with several names in the format of `docker save`,
# without a registry. It has busybox, the Debian CNI plugins, and POD-SCRIPT under the names of the programs in k0s's pods.
# COREDNS and KUBE-PROXY are paths of real programs, the latter with iptables, or empty.
set -euo pipefail
base=$1
script=$2
out=$3
coredns=$4
proxy=$5
shift 5
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/root
mkdir -p "$root"/{bin,lab/cni,tmp,etc,opt/cni/bin,usr/local/bin,usr/bin,coredns.d}
chmod 1777 "$root/tmp"
cp "$base/bin/busybox" "$root/bin/busybox"
chroot "$base" busybox --list | while read -r applet; do [ "$applet" = busybox ] || ln -s busybox "$root/bin/$applet"; done
cp "$base"/usr/lib/cni/{bridge,host-local,loopback,portmap} "$root/lab/cni/"
install -m 755 "$script" "$root/lab/pod"
for file in 80/index.html 8080/health 8093/healthz 8181/ready; do
  mkdir -p "$root/lab/www/${file%/*}"
  echo OK >"$root/lab/www/$file"
done
echo 'root:x:0:0:root:/:/bin/sh' >"$root/etc/passwd"
for program in bin/calico-node opt/cni/bin/install opt/cni/bin/calico-ipam usr/local/bin/kube-proxy usr/bin/kube-controllers \
  usr/bin/check-status proxy-agent metrics-server coredns pause; do
  rm -f "$root/$program"
  ln -s /lab/pod "$root/$program"
done
if [ -n "$coredns" ]; then install -m 755 "$coredns" "$root/coredns"; fi
if [ -n "$proxy" ]; then
  install -m 755 "$proxy" "$root/usr/local/bin/kube-proxy"
  mapfile -t modules < <(cd "$base" && printf '/%s\n' usr/lib/*/xtables/*.so)
  # ldd also prints the names of these files.
  chroot "$base" ldd /usr/sbin/xtables-nft-multi "${modules[@]}" | grep -o '/[^ :]*' | sort -u | while read -r file; do
    mkdir -p "$root${file%/*}"
    cp -L "$base$file" "$root$file"
  done
  cp "$base/usr/sbin/xtables-nft-multi" "$root/bin/"
  for program in iptables iptables-save iptables-restore ip6tables ip6tables-save ip6tables-restore; do
    ln -sf xtables-nft-multi "$root/bin/$program"
  done
fi
tar --sort=name --mtime=@0 --owner=0 --group=0 -C "$root" -cf "$work/layer.tar" .
sum=$(sha256sum "$work/layer.tar" | cut -d' ' -f1)
printf '{"architecture":"amd64","os":"linux","config":{"Entrypoint":["/lab/pod"],"Env":["PATH=/bin"]},"rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' "$sum" >"$work/config.json"
names=$(printf '"%s",' "$@")
printf '[{"Config":"config.json","RepoTags":[%s],"Layers":["layer.tar"]}]' "${names%,}" >"$work/manifest.json"
mkdir -p "$(dirname "$out")"
tar -C "$work" -cf "$out" manifest.json config.json layer.tar
