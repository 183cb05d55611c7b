#!/usr/bin/env bash
# Tries the README's two commands on a fresh Debian: bootstraps one into a folder, puts a clone of HEAD in, and runs there, as an
# ordinary user with sudo and then as root, `make demo` until /healthz answers, and `make test`. Prints what failed and what the
# tests passed over; the exit code is 0 if nothing failed. Hours on two cores, so it is not part of `make test`.
#
# usage: xtask/fresh.sh bookworm|trixie [--user ordinary|root] [--only demo|test] [--root FOLDER] [--keep]
#
#   --user    only as this user
#   --only    only this command
#   --root    the folder for the Debian (/var/tmp/vmferry-fresh-<release>); an existing one is used again, with the present HEAD
#   --keep    keeps the folder, some 15 GB
#
# Needs root, debootstrap and git. The Debian comes from the package source of this machine; the settings of this machine's
# package clients (apt, cargo, npm, certificates, proxies) are copied into it. It has PID and mount namespaces of its own, which the
# kernel removes however this script ends, but no network of its own: nothing else may listen on 127.0.0.1:8080.
#
# Debian 13 starts without Rust, which prepare.sh installs from backports. Debian 12 gets a copy of this machine's rustup
# toolchain, without its library for WebAssembly. Root uses the clone, the build and the cargo folder of the ordinary user: as root
# only the demo and the tests are tried, not the build once more.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. xtask/debian-source.sh

say() { echo "fresh: $*" >&2; }
fail() { say "$*"; exit 1; }
usage() { sed -n 's/^# usage: /usage: /p' "$0" >&2; exit 2; }

release=${1:-} users=(ordinary root) parts=(demo test) root='' keep=0
[[ $release == bookworm || $release == trixie ]] || usage
shift
while [ $# != 0 ]; do
    case $1-${2:-} in
        --user-ordinary | --user-root) users=("$2") && shift ;;
        --only-demo | --only-test) parts=("$2") && shift ;;
        --root-/*) root=$2 && shift ;;
        --keep-*) keep=1 ;;
        *) usage ;;
    esac
    shift
done
root=${root:-/var/tmp/vmferry-fresh-$release}
logs=$PWD/target/fresh
# The home whose settings are copied: with sudo that of the user who called it.
home=${SUDO_USER:+$(getent passwd "$SUDO_USER" | cut -d : -f 6)}
home=${home:-$HOME}

# Inside the new Debian.
user=ferry
user_home=/home/$user
checkout=$user_home/vmferry

bootstrap() {
    local source mirror key
    command -v debootstrap >/dev/null || apt-get install -qq --yes --no-install-recommends debootstrap >&2
    source=$(debian_source "$release" "$release-updates") || fail "this machine has no package source of Debian"
    mirror=$(sed -n 's/^URIs: //p' <<<"$source")
    key=$(sed -n 's/^Signed-By: //p' <<<"$source")
    say "bootstrapping Debian $release into $root"
    mkdir -p "$root"
    # What a newcomer needs to clone the repository and to run make.
    debootstrap ${key:+--keyring="$key"} --include=git,make,sudo "$release" "$root" "$mirror" >"$logs/$release-bootstrap.log" ||
        fail "debootstrap failed: $logs/$release-bootstrap.log"
    rm -f "$root/etc/apt/sources.list"
    echo "$source" >"$root/etc/apt/sources.list.d/debian.sources"
    copy_settings ${key:+"$key"}
    chroot "$root" useradd --create-home --shell /bin/bash "$user"
    {
        echo "$user ALL=(ALL) NOPASSWD: ALL"
        echo 'Defaults env_keep += "http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY"'
    } >"$root/etc/sudoers.d/$user"
    [ "$release" = trixie ] || copy_rust
    touch "$root/.vmferry-fresh"
}

# Copies the settings of this machine's package clients that no package owns, so that the new Debian reaches the same registries.
copy_settings() {
    local file
    for file in "$@" /etc/hosts /etc/hostname /etc/resolv.conf /etc/npmrc /etc/apt/apt.conf /etc/apt/auth.conf \
        /etc/apt/{apt.conf.d,auth.conf.d,keyrings,trusted.gpg.d}/* /usr/local/share/ca-certificates/*; do
        [ ! -f "$file" ] || dpkg-query --search "$file" >/dev/null 2>&1 || install -D --mode=644 "$file" "$root$file"
    done
    for file in .cargo/config.toml .cargo/config .npmrc; do
        [ ! -f "$home/$file" ] || install -D --mode=600 "$home/$file" "$root/root/$file"
        [ ! -f "$home/$file" ] || install -D --mode=600 "$home/$file" "$root/etc/skel/$file"
    done
}

# Prints the environment variables that package clients read.
client_environment() {
    env | grep -E '^(https?_proxy|no_proxy|HTTPS?_PROXY|NO_PROXY|CARGO_(HTTP|NET|REGISTRIES|REGISTRY|SOURCE)_[A-Z0-9_]*|npm_config_[a-z_]*|SSL_CERT_FILE|NODE_EXTRA_CA_CERTS)=' || true
}

# Copies rustup with the toolchain that this machine uses.
copy_rust() {
    local sysroot name to=$root$user_home
    sysroot=$(HOME=$home PATH=$home/.cargo/bin:$PATH rustc --print sysroot) || fail 'Debian 12 needs a Rust to copy, and this machine has none'
    [[ $sysroot == */toolchains/* ]] || fail "Debian 12 needs a toolchain of rustup to copy; this machine's is $sysroot"
    name=${sysroot##*/}
    say "copying Rust from $sysroot"
    mkdir -p "$to/.cargo/bin" "$to/.rustup/toolchains"
    cp "$home"/.cargo/bin/{rustup,cargo,cargo-clippy,cargo-fmt,clippy-driver,rustc,rustfmt} "$to/.cargo/bin/"
    tar --directory "${sysroot%/*}" --create --exclude=share/doc --exclude='*wasm32-unknown-unknown*' "$name" |
        tar --directory "$to/.rustup/toolchains" --extract
    sed -i /wasm32/d "$to/.rustup/toolchains/$name/lib/rustlib/components"
    awk -i inplace 'BEGIN { RS = ""; ORS = "\n\n" } !/wasm32/' "$to/.rustup/toolchains/$name/lib/rustlib/multirust-config.toml" 2>/dev/null || true
    printf 'version = "12"\nprofile = "default"\ndefault_toolchain = "%s"\n' "$name" >"$to/.rustup/settings.toml"
    chroot "$root" chown -R "$user:" "$user_home"
}

# Checks HEAD out in the clone, which may exist already.
checkout_head() {
    local git=(git -c "safe.directory=*" -c advice.detachedHead=false) at=$root$checkout
    [ -d "$at/.git" ] || "${git[@]}" clone --quiet --no-hardlinks --no-checkout . "$at"
    "${git[@]}" -C "$at" fetch --quiet "$PWD" HEAD
    "${git[@]}" -C "$at" checkout --quiet --force --detach FETCH_HEAD
    say "$checkout is $("${git[@]}" -C "$at" log -1 --format='%h %s')"
}

# The rest runs in namespaces of its own, as the first process there.
#
# enter ROOT COMMAND…: makes the folder the root, with the file systems that a booted machine has, and runs a function there.
enter() {
    local root=$1
    shift
    mount --bind "$root" "$root"
    cd "$root"
    mount -t proc proc proc
    mount --rbind /sys sys
    mount --bind /dev dev
    mount -t devpts -o newinstance,ptmxmode=0666,mode=0620,gid=5 devpts dev/pts
    mount -t tmpfs -o mode=1777 shm dev/shm
    mount -t tmpfs -o mode=755 run run
    mkdir -p run/lock .outside
    # Not chroot: the kernel forbids users in one to make namespaces, which Chromium and the tests do.
    pivot_root . .outside
    cd /
    umount --lazy .outside
    rmdir .outside
    "$@"
}

# as_user ordinary|root COMMAND…: runs a command as that user would at a prompt.
as_user() {
    local who=$1 path=/usr/local/bin:/usr/bin:/bin:/usr/local/games:/usr/games
    shift
    cd "$checkout"
    if [ "$who" = ordinary ]; then
        exec setpriv --reuid "$user" --regid "$user" --init-groups env --default-signal -i HOME="$user_home" USER="$user" LOGNAME="$user" \
            SHELL=/bin/bash TERM=dumb PATH="$path" "${clients[@]}" "$@"
    else
        exec env --default-signal -i HOME=/root USER=root LOGNAME=root SHELL=/bin/bash TERM=dumb CARGO_HOME="$user_home/.cargo" RUSTUP_HOME="$user_home/.rustup" \
            PATH="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:$user_home/.cargo/bin" "${clients[@]}" "$@"
    fi
}

# Whether the demo's /healthz answers with 200.
healthy() {
    local answer
    { exec 3<>/dev/tcp/127.0.0.1/8080; } 2>/dev/null || return 1
    printf 'GET /healthz HTTP/1.0\r\nHost: 127.0.0.1:8080\r\n\r\n' >&3
    read -r answer <&3
    exec 3>&-
    [[ $answer == *' 200 '* ]]
}

run_demo() {
    local who=$1 demo waited=0
    ! { exec 3<>/dev/tcp/127.0.0.1/8080; } 2>/dev/null || { echo 'fresh: something else listens on 127.0.0.1:8080'; return 1; }
    # In a process group of its own, to send Ctrl-C to.
    set -m
    (as_user "$who" make demo) &
    demo=$!
    set +m
    until healthy; do
        kill -0 "$demo" 2>/dev/null || { wait "$demo" || true; echo 'fresh: the demo ended before it was ready'; return 1; }
        [ $((waited++)) -lt 7200 ] || { kill -KILL -- "-$demo"; echo 'fresh: the demo was not ready within two hours'; return 1; }
        sleep 1
    done
    echo "fresh: /healthz answers after $waited s"
    kill -INT -- "-$demo"
    for ((waited = 0; waited < 60; waited++)); do
        if ! kill -0 "$demo" 2>/dev/null; then
            wait "$demo" || true
            ! ps -eo comm | grep -E 'libvirtd|virtqemud|qemu-system' || { echo 'fresh: the demo left these behind'; return 1; }
            return 0
        fi
        sleep 1
    done
    kill -KILL -- "-$demo"
    echo 'fresh: the demo did not stop within a minute'
    return 1
}

# Goes on after a failure, to show all failures.
run_test() {
    (as_user "$1" make --keep-going test)
}

inside=$(declare -p user user_home checkout; declare -f enter as_user healthy run_demo run_test)

# run PART USER: runs one of the two commands in the new Debian, writes its output to a log and prints the end of it.
run() {
    local part=$1 who=$2 log=$logs/$release-$2-$1.log started=$SECONDS outcome=ok
    say "make $part as $who: $log"
    readarray -t clients < <(client_environment)
    # shellcheck disable=SC2016 # for the shell inside
    unshare --mount --propagation private --pid --fork --kill-child \
        bash -euo pipefail -c "$inside; $(declare -p clients)"'; enter "$1" "run_$2" "$3"' bash "$root" "$part" "$who" \
        >"$log" 2>&1 </dev/null &
    child=$!
    wait "$child" || outcome=FAILED
    child=''
    summary+=("make $part as $who: $outcome after $(((SECONDS - started) / 60)) min")
    if [ "$outcome" = FAILED ]; then
        failed=1
        say "make $part as $who failed; in $log:"
        grep -aE '^(test .* \.\.\. FAILED|error(\[|:)|fresh: |make: \*\*\*| +[0-9]+\) \[|prepare: |wasm-target: )' "$log" | sort -u | sed -n 1,60p >&2 || true
        echo ... >&2
        tail -n 25 "$log" >&2
    fi
    readarray -t passed_over < <(grep -aE '^(PASSED OVER|note): ' "$log" | sort -u)
    summary+=("${passed_over[@]/#/    }")
}

[ "$(id -u)" = 0 ] || fail 'run this as root: it makes file systems and users'
mkdir -p "$logs"
if [ -e "$root/.vmferry-fresh" ]; then
    say "using $root again"
else
    [ -z "$(ls -A "$root" 2>/dev/null)" ] || fail "$root is not empty, and no earlier run of this script made it"
    bootstrap
fi
checkout_head

failed=0 summary=() child=''
# Whatever ends this script ends what runs inside, and with it the mounts.
trap '[ -z "$child" ] || kill -KILL "$child"' EXIT
trap 'exit 1' INT TERM HUP
for who in "${users[@]}"; do
    # Root may have built there, too.
    chroot "$root" chown -R "$user:" "$user_home"
    for part in "${parts[@]}"; do
        run "$part" "$who"
    done
done

[ "$keep" = 1 ] || rm -rf --one-file-system -- "$root"
say "Debian $release:"
printf '  %s\n' "${summary[@]}" >&2
exit $failed
