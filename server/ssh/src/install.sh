# Puts the key of the console among those that may log in here, or takes it away: told which by $0, "add" or "remove". All else comes
# on standard input: the line of authorized_keys, and the key in it, in base64. There is no single quote in this file.
umask 077
IFS= read -r line && IFS= read -r key || exit 70
if [ "$0" = add ]; then
    command -v virt-ssh-helper >/dev/null 2>&1 || exit 71
    mkdir -p "$HOME/.ssh" && : >>"$HOME/.ssh/authorized_keys" || exit 72
fi
[ -e "$HOME/.ssh/authorized_keys" ] || exit 0
# A link stays a link.
file=$(readlink -f "$HOME/.ssh/authorized_keys") || exit 72

there() { grep -qxF -e "$line" -- "$file"; }
elsewhere() { grep -vxF -e "$line" -- "$file" | grep -qF -e "$key"; }

[ -r "$file" ] || exit 72
if elsewhere; then exit 73; fi
if [ "$0" = add ]; then
    if there; then exit 0; fi
else
    there || exit 0
fi
# The new file replaces the old one atomically: a login meanwhile finds one or the other.
new=$file.vmferry.$$
trap "rm -f -- \"\$new\"" EXIT
cp -p -- "$file" "$new" || exit 72
if [ "$0" = add ]; then
    if [ -n "$(tail -c 1 -- "$new")" ]; then echo >>"$new" || exit 72; fi
    printf "%s\n" "$line" >>"$new" || exit 72
else
    grep -vxF -e "$line" -- "$file" >"$new"
    [ $? -le 1 ] || exit 72
fi
mv -f -- "$new" "$file" || exit 72
if [ "$0" = add ]; then there || exit 72; elif there; then exit 72; fi
