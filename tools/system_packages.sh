#!/bin/sh
# See that bubblewrap and libseccomp are here; install them as root, else print the one command.
set -eu

have_bwrap() { command -v bwrap >/dev/null 2>&1; }
have_seccomp() {
  for place in /lib/*/libseccomp.so.2 /usr/lib/*/libseccomp.so.2 \
               /usr/lib64/libseccomp.so.2 /usr/lib/libseccomp.so.2; do
    [ -e "$place" ] && return 0
  done
  return 1
}

have_bwrap && have_seccomp && exit 0

if command -v apt-get >/dev/null 2>&1; then
  install="apt-get install -y bubblewrap libseccomp2"
  refresh="apt-get update"
elif command -v dnf >/dev/null 2>&1; then
  install="dnf install -y bubblewrap libseccomp"
  refresh=true
elif command -v pacman >/dev/null 2>&1; then
  install="pacman -S --noconfirm bubblewrap libseccomp"
  refresh=true
elif command -v zypper >/dev/null 2>&1; then
  install="zypper install -y bubblewrap libseccomp2"
  refresh=true
else
  echo "bubblewrap and libseccomp are missing: install them with your system's package manager" >&2
  exit 1
fi

if [ "$(id -u)" -eq 0 ]; then
  echo "installing bubblewrap and libseccomp: $install" >&2
  $install >/dev/null 2>&1 || { $refresh >/dev/null && $install >/dev/null; }
  have_bwrap && have_seccomp && exit 0
  echo "they are still missing after: $install" >&2
  exit 1
fi
echo "bubblewrap or libseccomp is missing.  Run this once, then make again:" >&2
echo "  sudo $install" >&2
exit 1
