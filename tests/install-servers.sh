#!/usr/bin/env bash
# Installs the real servers that the tests run against, through apt where that is possible; says what to install where it is not.
#
# A server package starts its service on all addresses as it is installed. The tests start their own, on the loopback
# address only, so here nothing is started, and a service that came with this installation is switched off again.
set -euo pipefail

# command:Debian package that brings it
wanted=(
  java:default-jre-headless
  mvn:maven
  prometheus:prometheus
  promtool:prometheus
  prometheus-alertmanager:prometheus-alertmanager
  chromium:chromium
)
policy=/usr/sbin/policy-rc.d

missing_packages() {
  local entry
  for entry in "${wanted[@]}"; do
    command -v "${entry%%:*}" >/dev/null || echo "${entry#*:}"
  done
  # Without a Chinese font a page of boxes would pass for a Chinese page.
  if [ -z "$(fc-list :lang=zh 2>/dev/null | head -n 1)" ]; then printf '%s\n' fontconfig fonts-noto-cjk; fi
}

missing=$(missing_packages | sort -u)
[ -z "$missing" ] && exit 0
list=$(tr '\n' ' ' <<<"$missing")

give_up() {
  cat >&2 <<END
$1
    $list
Debian, Ubuntu:  sudo apt-get install --no-install-recommends $list
Elsewhere: a Java runtime (17 or newer), Apache Maven, Prometheus with promtool, Alertmanager (as
prometheus-alertmanager), Chromium (as chromium) and a Chinese font, each on the PATH.
\`cargo test\` alone runs every test that needs no server.
END
  exit 1
}

as_root=()
if [ "$(id -u)" -ne 0 ]; then as_root=(sudo -n); fi
if ! command -v apt-get >/dev/null || ! "${as_root[@]}" true 2>/dev/null; then
  give_up "The tests run against real servers, and these packages (Debian's names) are missing:"
fi

restore() {
  [ -n "${placed:-}" ] && "${as_root[@]}" rm -f "$policy"
  return 0
}
trap restore EXIT
if [ ! -e "$policy" ]; then
  placed=yes
  printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" >/dev/null
  "${as_root[@]}" chmod +x "$policy"
fi

echo "installing: $list"
"${as_root[@]}" apt-get update -q >/dev/null
# shellcheck disable=SC2086 — a list of package names
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $list ||
  give_up "apt-get could not install all of these packages, which the tests need:"

for service in prometheus prometheus-alertmanager; do
  if grep -qx "$service" <<<"$missing" && [ -d /run/systemd/system ]; then
    "${as_root[@]}" systemctl disable "$service" >/dev/null 2>&1 || true
  fi
done

left=$(missing_packages | sort -u | tr '\n' ' ')
[ -z "$left" ] || give_up "The installation brought no command on the PATH for: $left"
