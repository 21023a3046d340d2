#!/usr/bin/env bash
# Installs, once and as root, what the tests speak to from Debian. Does nothing, in well under a second, when all of
# it is there. No server is started: a policy-rc.d forbids it while packages are unpacked; tests start their own.
set -euo pipefail

packages=(
  socat udev strace libfaketime                     # wires and mischief
  influxdb victoria-metrics nats-server             # stores and hub
  mosquitto-clients python3-paho-mqtt               # MQTT by other hands
  mbpoll python3-pymodbus python3-serial python3-serial-asyncio
  python3-hl7
  chromium fonts-noto-cjk                           # screens, in Chinese too
)

missing() {
  local installed
  installed=" $(dpkg-query -W -f='${Package}=${db:Status-Status} ' "${packages[@]}" 2>/dev/null || true)"
  local name
  for name in "${packages[@]}"; do
    [[ $installed == *" $name=installed "* ]] || echo "$name"
  done
}

if ! command -v dpkg-query >/dev/null; then
  echo "The tests need Debian packages, and this machine has no dpkg: ${packages[*]}" >&2
  exit 1
fi

mapfile -t wanted < <(missing)
if ((${#wanted[@]} == 0)); then exit 0; fi

if [[ $(id -u) != 0 ]]; then
  echo "These Debian packages are missing for the tests: ${wanted[*]}" >&2
  echo "Install them once, as root:" >&2
  echo "  sudo bash test/peers/install.sh" >&2
  echo "or by hand, which may start the servers among them:" >&2
  echo "  sudo apt-get update && sudo apt-get install --no-install-recommends -y ${wanted[*]}" >&2
  exit 1
fi

# Debian asks this file before it starts a service; 101 means: do not.
policy=/usr/sbin/policy-rc.d
kept=$(mktemp -d)
if [[ -e $policy || -L $policy ]]; then cp -a "$policy" "$kept/policy-rc.d"; fi
restore() {
  rm -f "$policy"
  if [[ -e $kept/policy-rc.d || -L $kept/policy-rc.d ]]; then cp -a "$kept/policy-rc.d" "$policy"; fi
  rm -rf "$kept"
}
trap restore EXIT
trap 'exit 130' INT TERM HUP
rm -f "$policy"
printf '#!/bin/sh\nexit 101\n' >"$policy"
chmod 755 "$policy"

export DEBIAN_FRONTEND=noninteractive
apt() { apt-get -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 -q "$@" </dev/null; }
install() { apt update && apt install --no-install-recommends -y "${wanted[@]}"; }

echo "Installing for the tests: ${wanted[*]}"
if ! install; then
  echo "Once more: a mirror may have been in the middle of an update." >&2
  sleep 5
  install || true
fi

mapfile -t wanted < <(missing)
if ((${#wanted[@]} > 0)); then
  echo "Still missing after apt-get install: ${wanted[*]}" >&2
  echo "Check that the machine's apt sources carry them (Debian 12 or newer, component main), then run npm run peers." >&2
  exit 1
fi
