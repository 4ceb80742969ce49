#!/usr/bin/env bash
# Says what is missing to build shiftpulse and how to get it; and, before a first build, how long that takes.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

missing=() packages=()
need() {
  local check=$1 name=$2 package=$3
  bash -c "$check" >/dev/null 2>&1 || { missing+=("$name"); packages+=("$package"); }
}

# OpenSSL and librdkafka are compiled from source, so that the binary runs on any machine with the same libc.
need 'command -v cc' 'a C compiler (cc)' build-essential
need 'command -v c++' 'a C++ compiler (c++)' build-essential
need 'command -v make' 'make' build-essential
need 'perl -MFindBin -MIPC::Cmd -MFile::Compare -e 1' 'Perl with its standard modules' perl
need 'command -v cargo' 'Rust (cargo)' rust

if [ ${#missing[@]} -gt 0 ]; then
  {
    echo "To build shiftpulse, this machine lacks:"
    printf '  - %s\n' "${missing[@]}"
    system=$(printf '%s\n' "${packages[@]}" | grep -vx rust | sort -u | tr '\n' ' ' || true)
    [ -z "$system" ] || echo "Debian, Ubuntu:  sudo apt-get install $system"
    [[ " ${packages[*]} " != *" rust "* ]] || echo "Rust:  https://rustup.rs  (or: sudo apt-get install rustup)"
  } >&2
  exit 1
fi

target=${CARGO_TARGET_DIR:-target}
if ! compgen -G "$target/*/build/openssl-sys-*/output" >/dev/null; then
  echo "The first build takes 5 to 10 minutes on two cores: OpenSSL and librdkafka are compiled from source. Later ones are short."
fi
