#!/usr/bin/env bash
# Checks that what is built does not depend on where: builds the site of HEAD in two folders under two homes and compares the files,
# then searches the WebAssembly and the given server binaries (target/release/vmferry by default, if it exists) for the builder's
# paths. Takes about ten minutes on two cores.
#
# usage: xtask/reproducible.sh [BINARY…]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

binaries=("$@")
[ $# != 0 ] || [ ! -e target/release/vmferry ] || binaries=(target/release/vmferry)
cargo_home=${CARGO_HOME:-$HOME/.cargo}
export RUSTUP_HOME=${RUSTUP_HOME:-$HOME/.rustup}
work=$(realpath "$(mktemp -d "${TMPDIR:-/var/tmp}/vmferry-reproducible-XXXXXX")")
trap 'rm -rf "$work"' EXIT

say() { echo "reproducible: $*" >&2; }

# Makes a home with cargo's settings and downloads. cargo unpacks the sources there anew, so that they have other paths.
make_home() {
    local home=$1
    mkdir -p "$home/.cargo/registry"
    for part in config.toml config credentials.toml registry/index registry/cache; do
        [ ! -e "$cargo_home/$part" ] || cp --archive --reflink=auto "$cargo_home/$part" "$home/.cargo/$part"
    done
    git clone --quiet --no-hardlinks . "$home/vmferry"
}

# in_home HOME COMMAND…: runs a command in the clone of a home.
in_home() {
    local home=$1
    shift
    (cd "$home/vmferry" && env -u CARGO_TARGET_DIR HOME="$home" CARGO_HOME="$home/.cargo" "$@")
}

xtask/wasm-target.sh
# One xtask builds both: it is not part of what is compared.
cargo build --quiet --package xtask
target=$(cargo metadata --no-deps --format-version 1 | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')
cp "$target/debug/xtask" "$work/xtask"

one=$work/one two=$work/another-folder/two
for home in "$one" "$two"; do
    say "building in $home/vmferry"
    make_home "$home"
    # Unpacks the dependencies, because xtask only remaps folders that exist.
    in_home "$home" cargo fetch --quiet --locked --target wasm32-unknown-unknown
    in_home "$home" env CARGO="$(command -v cargo)" CARGO_MANIFEST_DIR="$home/vmferry/xtask" "$work/xtask" site --release
done

failed=0
if diff -r "$one/vmferry/target/site" "$two/vmferry/target/site"; then
    say 'the two sites are equal'
else
    say 'the two sites differ'
    failed=1
fi

# no_paths FILE FOLDER…: searches a file for these folders, and for names that only a builder's folders have.
no_paths() {
    local file=$1 pattern='/\.cargo/|/\.rustup/|registry/src/' found
    shift
    for folder in "$@"; do
        pattern+="|$(sed 's/[^[:alnum:]/_-]/\\&/g' <<<"$folder/")"
    done
    found=$(LC_ALL=C grep -aoE "[[:print:]]{0,40}($pattern)[[:print:]]{0,60}" "$file" || true)
    if [ -n "$found" ]; then
        say "paths of the builder in $file:"
        sed -n 1,20p <<<"$found" >&2
        failed=1
    else
        say "no path of the builder in $file"
    fi
}

for wasm in "$work"/{one,another-folder/two}/vmferry/target/site/pkg/*.wasm; do no_paths "$wasm" "$work"; done
for binary in "${binaries[@]}"; do no_paths "$binary" "$PWD" "$cargo_home" "$RUSTUP_HOME"; done
exit $failed
