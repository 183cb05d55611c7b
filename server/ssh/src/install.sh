# Adds the key of the console to the authorized keys of this account, or removes it, as $0 says: "add" or "remove". Standard input has
# the line of authorized_keys, and the key in it, in base64. There is no single quote in this file.
umask 077
IFS= read -r line && IFS= read -r key || exit 70
if [ "$0" = add ]; then
    command -v virt-ssh-helper >/dev/null 2>&1 || exit 71
    mkdir -p "$HOME/.ssh" && : >>"$HOME/.ssh/authorized_keys" || exit 72
fi
[ -e "$HOME/.ssh/authorized_keys" ] || exit 0
# A link stays a link.
file=$(readlink -f "$HOME/.ssh/authorized_keys") || exit 72

has_line() { grep -qxF -e "$line" -- "$file"; }
has_other_line() { grep -vxF -e "$line" -- "$file" | grep -qF -e "$key"; }

[ -r "$file" ] || exit 72
if has_other_line; then exit 73; fi
if [ "$0" = add ]; then
    if has_line; then exit 0; fi
else
    has_line || exit 0
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
if [ "$0" = add ]; then has_line || exit 72; elif has_line; then exit 72; fi
