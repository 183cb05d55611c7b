#!/usr/bin/env bash
# Installs what a fresh Debian 12, Debian 13 or Ubuntu 24.04 lacks to build and run vmferry. Does nothing where nothing is missing.
#
#   xtask/prepare.sh demo   for `make demo`
#   xtask/prepare.sh test   for `make test`: what the demo needs, and what the tests need
#
# Packages come from the distribution; the tools that it does not have go to target/tools.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. xtask/debian-source.sh
. /etc/os-release

purpose=${1:-}
[[ $purpose == demo || $purpose == test ]] || { echo "usage: $0 demo|test" >&2; exit 2; }

rust_minimum=1.94
node_minimum=20
cargo_deny_version=0.20.2
tools=$PWD/target/tools

say() { echo "prepare: $*" >&2; }

# A description of each missing thing, and the packages that have it.
missing=()
packages=()

# need WHAT PACKAGES CHECK…: notes what is missing if the check, a command, fails.
need() {
    local what=$1 wanted=$2
    shift 2
    if ! "$@" >/dev/null 2>&1; then
        missing+=("$what")
        # shellcheck disable=SC2206 # a list of names
        packages+=($wanted)
    fi
}

has_file() { compgen -G "$1" >/dev/null; }

# at_least MINIMUM VERSION
at_least() { [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1)" = "$1" ]; }

has_cargo() {
    local version
    version=$(cargo --version) && at_least "$rust_minimum" "$(cut -d ' ' -f 2 <<<"$version")"
}

has_node() {
    local version
    version=$(node --version) && at_least "$node_minimum" "${version#v}" && command -v npm
}

find_missing() {
    missing=() packages=()
    need 'a C compiler' 'gcc libc6-dev' command -v cc
    need 'pkg-config' pkg-config command -v pkg-config
    need 'the certificates that package registries are checked by' ca-certificates has_file /etc/ssl/certs/ca-certificates.crt
    need "libvirt's headers" libvirt-dev has_file '/usr/include/libvirt/libvirt.h'
    need 'libvirtd' libvirt-daemon has_file /usr/sbin/libvirtd
    need "libvirt's driver for QEMU" libvirt-daemon-driver-qemu has_file '/usr/lib/*/libvirt/connection-driver/libvirt_driver_qemu.so'
    need 'virsh' libvirt-clients command -v virsh
    need 'QEMU' qemu-system-x86 command -v qemu-system-x86_64
    need 'qemu-img and qemu-nbd' qemu-utils command -v qemu-nbd
    if [ "$purpose" = test ]; then
        need 'curl' curl command -v curl
        need 'ip' iproute2 command -v ip
        need 'ps' procps command -v ps
        need 'tcpdump' tcpdump command -v tcpdump
        need 'ssh' openssh-client command -v ssh
        local driver=/usr/lib/*/libvirt/connection-driver/libvirt_driver
        need "libvirt's driver for networks" libvirt-daemon-driver-network has_file "${driver}_network.so"
        need "libvirt's driver for storage pools" libvirt-daemon-driver-storage has_file "${driver}_storage.so"
        need "libvirt's driver for secrets" libvirt-daemon-driver-secret has_file "${driver}_secret.so"
        need "libvirt's driver for network interfaces" libvirt-daemon-driver-interface has_file "${driver}_interface.so"
        need "libvirt's schemas" libvirt-common has_file /usr/share/libvirt/schemas/domain.rng
        need 'nft' nftables has_file /usr/sbin/nft
        need 'sshfs' sshfs command -v sshfs
        need "OpenSSH's SFTP server" openssh-sftp-server has_file /usr/lib/openssh/sftp-server
        need "QEMU's own NFS client" qemu-block-extra has_file '/usr/lib/*/qemu/block-nfs.so'
        need 'swtpm' 'swtpm swtpm-tools' command -v swtpm_setup
        # Ubuntu's Chromium is a snap, which root and containers cannot run: Playwright installs its own there.
        [ "$ID" = ubuntu ] || need 'Chromium' 'chromium fonts-liberation' command -v chromium
    fi
}

# Runs a command as root.
as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        say "run this as root, or install sudo: $*"
        exit 1
    fi
}

# apt_install PACKAGE[/SUITE]… [--option OPTION]
apt_install() {
    local all="$*"
    say "installing ${all%% --option*}"
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq --yes --no-install-recommends --option Dpkg::Use-Pty=0 "$@" >&2
}

# Keeps those of the packages that this machine's package sources have, and succeeds if there are any. Ubuntu 24.04 has in one package
# of libvirt's what Debian has in several, and apt-get installs nothing at all if it does not know one name.
keep_known_packages() {
    local package known=()
    for package in "${packages[@]}"; do
        # A name that others provide has no record of its own.
        if [ -n "$(apt-cache show "$package" 2>/dev/null)" ]; then
            known+=("$package")
        else
            say "no package source has $package"
        fi
    done
    packages=("${known[@]}")
    [ ${#packages[@]} != 0 ]
}

# Adds the backports of the machine's release to its package sources, unless they are there.
add_backports() {
    local file=/etc/apt/sources.list.d/vmferry-backports.sources source
    local suite=$VERSION_CODENAME-backports
    if ! apt-get indextargets --format '$(RELEASE)' | grep -qx "$suite"; then
        source=$(debian_source "$suite") || { say "this machine has no package source of Debian $VERSION_CODENAME"; exit 1; }
        say "adding $suite to the package sources: $file"
        as_root tee "$file" <<<"$source" >/dev/null
    fi
    as_root apt-get update -qq >&2
}

install_packages() {
    case $ID-${VERSION_ID:-} in
        debian-12)
            # libvirt 11 and QEMU 10, as on Debian 13, and because a machine may have one of QEMU's packages from backports already.
            # With preferences for this call only: --target-release would upgrade all their dependencies, such as systemd.
            local preferences
            add_backports
            preferences=$(mktemp)
            trap "rm -f '$preferences'" EXIT
            printf 'Package: src:libvirt src:qemu src:seabios\nPin: release n=bookworm-backports\nPin-Priority: 500\n' >"$preferences"
            if keep_known_packages; then
                apt_install "${packages[@]}" --option "Dir::Etc::Preferences=$preferences"
            fi
            ;;
        debian-13 | ubuntu-24.04)
            as_root apt-get update -qq >&2
            if keep_known_packages; then
                apt_install "${packages[@]}"
            fi
            ;;
        *)
            say "this machine (${PRETTY_NAME:-unknown}) lacks:"
            printf '  %s\n' "${missing[@]}" >&2
            say "install it, then start again; on Debian the packages are: ${packages[*]}"
            exit 1
            ;;
    esac
}

install_cargo() {
    local candidate
    if [ "$ID-${VERSION_ID:-}" = debian-13 ] && ! command -v rustup >/dev/null; then
        add_backports
        candidate=$(apt-cache madison cargo | awk '{ print $3 }' | sort -V | tail -n 1)
        if at_least "$rust_minimum" "$candidate"; then
            apt_install {cargo,rustc,rust-clippy,rustfmt}"/$VERSION_CODENAME-backports"
            return
        fi
    fi
    say "cargo $rust_minimum or newer is needed, found: $(cargo --version 2>/dev/null || echo none)"
    say 'install it with rustup (https://rustup.rs), or `rustup update stable` where it is there, then start again'
    exit 1
}

# Where the distribution's Node.js is too old, its npm installs the registry's package `node`, which is newer.
install_node() {
    if ! command -v npm >/dev/null; then
        case $ID-${VERSION_ID:-} in
            debian-1[23] | ubuntu-24.04) as_root apt-get update -qq >&2 && apt_install npm ;;
        esac
    fi
    if command -v npm >/dev/null && ! has_node >/dev/null 2>&1; then
        say "installing Node.js 22 into $tools"
        npm install --loglevel=error --no-audit --no-fund --prefix "$tools" node@22 >&2
        mkdir -p "$tools/bin"
        ln -sf ../node_modules/node/bin/node "$tools/bin/node"
    fi
    if ! has_node >/dev/null 2>&1; then
        say "Node.js $node_minimum or newer with npm is needed for the browser tests: https://nodejs.org"
        exit 1
    fi
}

install_browser_tests() {
    say 'installing end2end/node_modules'
    (cd end2end && PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 npm ci --loglevel=error --no-audit --no-fund >&2)
    if ! command -v chromium >/dev/null; then
        say "installing Playwright's own Chromium"
        (cd end2end && npx playwright install --with-deps chromium >&2)
    fi
}

# Debian 12's own QEMU or libvirt, for tests with older hosts. Unpacked, not installed, because the machine has a newer one.
#
# unpack_older NAME PACKAGE…
unpack_older() {
    local download name=$1
    shift
    say "unpacking Debian 12's own ${name#older-} into $tools/$name"
    download=$(mktemp -d)
    if (cd "$download" && apt-get download -qq --option APT::Sandbox::User=root "${@/%//bookworm}"); then
        for package in "$download"/*.deb; do
            dpkg-deb --extract "$package" "$download/root"
        done
        mkdir -p "$tools"
        mv "$download/root" "$tools/$name"
    else
        say 'it cannot be downloaded, so the tests with it will be passed over'
    fi
    rm -rf "$download"
}

# A server for tests. Unpacked, not installed, because it would serve this machine's network.
#
# unpack_server NAME WHAT PACKAGE…
unpack_server() {
    local download name=$1 what=$2
    shift 2
    say "unpacking $what into $tools/$name"
    download=$(mktemp -d)
    mkdir "$download/partial"
    if as_root apt-get install -qq --yes --no-install-recommends --download-only --option "Dir::Cache::archives=$download" \
        --option APT::Sandbox::User=root "$@" >&2; then
        for package in "$download"/*.deb; do
            dpkg-deb --extract "$package" "$download/root"
        done
        # Today /sbin and /lib are links into /usr, so what a package has in them belongs there, too.
        for folder in sbin lib; do
            [ ! -d "$download/root/$folder" ] || cp --archive "$download/root/$folder" "$download/root/usr/"
        done
        mkdir -p "$tools"
        mv "$download/root" "$tools/$name"
    else
        say 'it cannot be downloaded, so the tests with it will be passed over'
    fi
    rm -rf "$download"
}

# Built without optimisation, because the tool runs once per `make test`.
install_cargo_deny() {
    say "installing cargo-deny $cargo_deny_version into $tools"
    CARGO_PROFILE_RELEASE_OPT_LEVEL=0 CARGO_PROFILE_RELEASE_DEBUG=0 CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 CARGO_PROFILE_RELEASE_LTO=off \
        CARGO_TARGET_DIR=target/cargo-deny cargo install --quiet --locked --version "$cargo_deny_version" --root "$tools" cargo-deny
    rm -rf target/cargo-deny
}

export PATH=$tools/bin:$PATH
find_missing
if [ ${#missing[@]} != 0 ]; then
    install_packages
    find_missing
    if [ ${#missing[@]} != 0 ]; then
        say 'still missing; what needs it will fail:'
        printf '  %s\n' "${missing[@]}" >&2
    fi
fi
has_cargo >/dev/null 2>&1 || install_cargo
if [ "$purpose" = test ]; then
    has_node >/dev/null 2>&1 || install_node
    # npm writes that file after an installation, so it is newer than the lock file that it installed.
    [ end2end/node_modules/.package-lock.json -nt end2end/package-lock.json ] || install_browser_tests
    command -v cargo-deny >/dev/null || install_cargo_deny
    [ -e "$tools/nfs-server" ] || unpack_server nfs-server nfs-ganesha nfs-ganesha nfs-ganesha-vfs rpcbind
    [ -e "$tools/ssh-server" ] || [ -x /usr/sbin/sshd ] || unpack_server ssh-server "OpenSSH's server" openssh-server
    if [ "$ID-${VERSION_ID:-}" = debian-12 ]; then
        [ -e "$tools/older-qemu" ] || unpack_older older-qemu qemu-system-{x86,common,data}
        [ -e "$tools/older-libvirt" ] || unpack_older older-libvirt libvirt-daemon libvirt-daemon-driver-qemu libvirt0 libyajl2
    fi
fi
