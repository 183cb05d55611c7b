# Sourced by the scripts in this folder: the package source of this Debian machine.

# debian_source SUITE…: prints a deb822 apt source of other suites, with the mirror and the key of the machine's own entry.
# Fails on a machine that has no such entry, for example because it is not Debian.
debian_source() {
    local codename entry uri file key
    codename=$(. /etc/os-release && [ "$ID" = debian ] && echo "$VERSION_CODENAME") || return 1
    entry=$(apt-get indextargets --format '$(RELEASE) $(COMPONENT) $(REPO_URI) $(SOURCESENTRY)' 'Created-By: Packages' |
        awk -v release="$codename" '$1 == release && $2 == "main" && !found++ { print $3, $4 }')
    [ -n "$entry" ] || return 1
    uri=${entry% *}
    file=${entry#* }
    file=${file%:*}
    key=$(sed -nE 's|^Signed-By:[[:space:]]*(/[^[:space:]]+).*|\1|p; s|^deb .*[[, ]signed-by=([^], ]+).*|\1|p' "$file")
    printf 'Types: deb\nURIs: %s\nSuites: %s\nComponents: main\n' "$uri" "$*"
    [ -z "$key" ] || printf 'Signed-By: %s\n' "${key%%$'\n'*}"
}
