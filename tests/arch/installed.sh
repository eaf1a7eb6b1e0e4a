#!/usr/bin/env bash
# Installs the build in folder $1 below a folder of its own and looks whether all is in its place and fits together.
set -euo pipefail
build=$1
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT

install() { DESTDIR=$stage cmake --install "$build" --prefix /usr >/dev/null; }
install
for file in usr/bin/verge etc/verge/verge.yaml usr/lib/systemd/system/verge.service usr/lib/sysusers.d/verge.conf \
  usr/share/man/man1/verge.1 usr/share/verge/demo/index.html; do
  [ -f "$stage/$file" ] || { echo "not installed: $file"; exit 1; }
done
[ -x "$stage/usr/bin/verge" ]
"$stage/usr/bin/verge" version
"$stage/usr/bin/verge" check -c "$stage/etc/verge/verge.yaml"
grep -q '^ExecStart=/usr/bin/verge serve -c /etc/verge/verge.yaml$' "$stage/usr/lib/systemd/system/verge.service"

# A second installation keeps an edited configuration, and no others are left about.
install
[ ! -e "$stage/etc/verge/verge.yaml.new" ]
echo "# edited" >>"$stage/etc/verge/verge.yaml"
install
grep -q '^# edited$' "$stage/etc/verge/verge.yaml"
[ -f "$stage/etc/verge/verge.yaml.new" ]

# The unit is sound as systemd reads it, and exposes little.
unit=$stage/verge.service
sed "s,/usr/bin/verge,$stage/usr/bin/verge," "$stage/usr/lib/systemd/system/verge.service" >"$unit"
said=$(systemd-analyze verify --man=no "$unit" 2>&1) || { echo "$said"; exit 1; }
[ -z "$said" ] || { echo "systemd-analyze verify: $said"; exit 1; }
systemd-analyze security --offline=true --threshold=20 --no-pager "$unit" | tail -1
echo "installed as it should be"
