#!/usr/bin/env bash
# bare-machine.sh [COMMAND…]: runs a command, .ci/run if none is given, in a clean clone of the last commit on a minimal Debian that has
# only Node.js. Needs root and mmdebstrap. The Debian system is a directory, entered with pivot_root in its own namespaces. It
# shares the network, and uses the package sources and certificates of this machine.
set -euo pipefail
repository=$(cd "$(dirname "$0")/.." && pwd)
[ $# -gt 0 ] || set -- bash .ci/run
[ "$(id -u)" = 0 ] || { echo 'bare-machine.sh needs root.' >&2; exit 1; }
for program in mmdebstrap git node npm; do
  command -v "$program" >/dev/null || { echo "bare-machine.sh needs $program." >&2; exit 1; }
done

machine=$(mktemp -d "${TMPDIR:-/var/tmp}/runner-bare-XXXXXX")
trap 'rm -rf --one-file-system "$machine"' EXIT
mirror=$(awk '/^URIs:/ { print $2; exit }' /etc/apt/sources.list.d/*.sources 2>/dev/null || true)
[ -n "$mirror" ] || mirror=$(awk '$1 == "deb" { for (i = 2; i <= NF; i++) if ($i ~ /:\/\//) { print $i; exit } }' /etc/apt/sources.list)
mmdebstrap --quiet --variant=minbase --mode=root bookworm "$machine" "deb $mirror bookworm main"

rm -f "$machine/etc/apt/sources.list"

# Node.js with npm, as in an image for Node.js.
node=$(readlink -f "$(command -v node)")
npm=$(readlink -f "$(command -v npm)")
modules=${npm%/npm/bin/*}
install -D "$node" "$machine/usr/bin/node"
mkdir -p "$machine/usr/lib/node_modules"
cp -a "$modules/npm" "$machine/usr/lib/node_modules/"
ln -s ../lib/node_modules/npm/bin/npm-cli.js "$machine/usr/bin/npm"
ln -s ../lib/node_modules/npm/bin/npx-cli.js "$machine/usr/bin/npx"

# Package sources and proxy settings of this machine.
for path in /etc/apt/apt.conf.d /etc/apt/sources.list.d /etc/apt/trusted.gpg.d /etc/apt/auth.conf.d /etc/ssl /etc/npmrc /usr/etc/npmrc \
  /root/.npmrc /etc/resolv.conf /etc/hosts /usr/local/share/ca-certificates; do
  [ -e "$path" ] || continue
  mkdir -p "$machine$(dirname "$path")"
  rm -rf "${machine:?}$path"
  cp -aL "$path" "$machine$path"
done
environment=(PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 CI=true)
while IFS= read -r line; do
  case "$line" in
    *_proxy=* | *_PROXY=* | npm_config_*=* | NODE_EXTRA_CA_CERTS=* | SSL_CERT_*=* | CURL_CA_BUNDLE=*) environment+=("$line") ;;
  esac
done < <(env)

git clone --quiet "$repository" "$machine/root/runner"
mkdir -p "$machine/.old"
export machine
# shellcheck disable=SC2016 # Expanded by the inner shell.
unshare --mount --pid --fork --kill-child -- bash -c '
  set -eu
  mount --make-rprivate /
  mount --bind "$machine" "$machine"
  cd "$machine"
  mount -t proc proc proc
  mount --rbind /sys sys
  mount --rbind /dev dev
  mount -t tmpfs tmpfs run
  pivot_root . .old
  cd /root/runner
  umount -l /.old
  exec env -i "$@"
' bash "${environment[@]}" "$@"
