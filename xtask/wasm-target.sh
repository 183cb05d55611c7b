#!/usr/bin/env bash
# Makes sure that rustc can build for the browser: that it has a standard library for wasm32-unknown-unknown.
#
# rustup installs it with `rustup target add`, Debian has a package. A machine that reaches neither (in a closed network with mirrors
# of a few registries) builds it from the source that Debian packages.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/debian-source.sh"

target=wasm32-unknown-unknown
sysroot=$(rustc --print sysroot)
libraries=$sysroot/lib/rustlib/$target/lib
cargo_home=${CARGO_HOME:-~/.cargo}
version=$(rustc --version | cut -d ' ' -f 2)

say() { echo "wasm-target: $*" >&2; }

# Builds the smallest program: the library may be of another version, or the linker may be missing.
works() {
    local probe result=0
    ! has_builder_paths || return 1
    probe=$(mktemp -d)
    : | rustc --crate-name probe --crate-type cdylib --target "$target" --out-dir "$probe" - >/dev/null 2>&1 || result=1
    rm -r "$probe"
    return $result
}

# Earlier versions of this script left the builder's paths in the library, and so in everything that is built with it.
has_builder_paths() { grep -qF -- "$cargo_home/registry/" "$libraries"/lib*.rlib 2>/dev/null; }

# Runs a command as root, unless the toolchain is this user's own.
for_toolchain() {
    if [ -w "$sysroot/lib/rustlib" ]; then "$@"; else sudo "$@"; fi
}

from_rustup() {
    command -v rustup >/dev/null && [[ $sysroot == "$(rustup show home)"/* ]] || return 1
    say "rustup target add $target"
    rustup target add "$target"
}

# For a rustc that Debian or Ubuntu packaged: the linker and the library, of exactly the version of rustc's own library.
from_distribution() {
    local version
    version=$(dpkg-query --show --showformat '${Version}' libstd-rust-dev 2>/dev/null) && [ "$sysroot" = /usr ] || return 1
    for package in rust-llvm libstd-rust-dev-wasm32; do
        say "installing $package $version"
        for_toolchain env DEBIAN_FRONTEND=noninteractive apt-get install -qq --yes --no-install-recommends --option Dpkg::Use-Pty=0 "$package=$version" >&2 || return 1
    done
}

# Puts the source of this version's standard library into the folder $1.
fetch_source() {
    local work=$1 package
    # With settings of its own, so that this machine's package lists and sources do not change.
    mkdir -p "$work/sources.d" "$work/state/lists/partial" "$work/cache/archives/partial"
    touch "$work/status"
    local apt=(-q -o "Dir::Etc::SourceList=/dev/null" -o "Dir::Etc::SourceParts=$work/sources.d"
        -o "Dir::State=$work/state" -o "Dir::State::status=$work/status" -o "Dir::Cache=$work/cache"
        -o "APT::Sandbox::User=$(id -un)")
    for suite in trixie-backports unstable; do
        debian_source "$suite" >"$work/sources.d/rust.sources" || return 1
        apt-get "${apt[@]}" update >&2 || return 1
        package=$(apt-cache "${apt[@]}" madison rust-src | awk -v version="$version" '$3 ~ "^" version "[+-]" { print $3; exit }')
        [ -z "$package" ] || break
    done
    [ -n "$package" ] || return 1
    say "taking the source from Debian's package rust-src $package"
    (cd "$work" && apt-get "${apt[@]}" download "rust-src=$package" >&2 && dpkg-deb --extract rust-src_*.deb "$work/source")
}

# Prints rustc's flags for the standard library, separated as in CARGO_ENCODED_RUSTFLAGS: sources get the names that they
# have in the library that rustup ships, independent of where it is built.
library_flags() {
    local work=$1 link=$2 commit registry flags=-Cembed-bitcode=yes
    commit=$(rustc --version --verbose | sed -n 's/^commit-hash: //p')
    remap() { flags+=$'\x1f'--remap-path-prefix=$1=$2; }
    remap "$work" /work
    remap "$link" "/rustc/$commit"
    remap "$(realpath "$link")" "/rustc/$commit"
    for registry in "$cargo_home"/registry/src/*/; do
        remap "${registry%/}" /rust/deps
    done
    echo "$flags"
}

from_source() {
    local work link="$sysroot/lib/rustlib/src/rust"
    work=$(realpath "$(mktemp -d)")
    trap "rm -rf '$work'" EXIT
    if [ ! -e "$link" ]; then
        fetch_source "$work" || return 1
        for_toolchain mkdir -p "$(dirname "$link")" || return 1
        for_toolchain ln -s "$work/source/usr/src/rustc-$version" "$link"
        trap "rm -rf '$work'; for_toolchain rm -f '$link'" EXIT
    fi

    say "building the standard library of Rust $version for $target"
    # Any crate will do: only its dependency, the standard library, is needed.
    mkdir "$work/src"
    echo '#![no_std]' >"$work/src/lib.rs"
    printf '[package]\nname = "wanted"\nedition = "2024"\n' >"$work/Cargo.toml"
    # In two steps: the name of the registry's folder is known after the first.
    (
        cd "$work"
        unset CARGO_BUILD_TARGET RUSTFLAGS
        export RUSTC_BOOTSTRAP=1 CARGO_TARGET_DIR=$work/target
        cargo fetch --quiet --target "$target" -Zbuild-std=std,panic_abort >&2 &&
            CARGO_ENCODED_RUSTFLAGS=$(library_flags "$work" "$link") \
                cargo build --quiet --release --target "$target" -Zbuild-std=std,panic_abort >&2
    ) || return 1
    rm -f "$work/target/$target/release/deps"/libwanted-*.rlib
    for_toolchain mkdir -p "$libraries"
    for_toolchain rm -f "$libraries"/lib*.rlib
    for_toolchain cp "$work/target/$target/release/deps"/lib*.rlib "$libraries"
}

works && exit
for method in from_rustup from_distribution from_source; do
    if "$method" && works; then
        exit
    fi
done
cat >&2 <<END
wasm-target: rustc $version at $sysroot has no standard library for $target, and none could be installed.
Install it with \`rustup target add $target\`, or from your distribution (Debian: libstd-rust-dev-wasm32).
END
exit 1
