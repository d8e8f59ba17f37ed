# A machine for a stack: /run is empty, /etc a copy with one user more, who is an administrator and has a password, and
# the checkout is at a place that every service sees. Ends with its standard input.
# stage.sh CHECKOUT USER UID PASSWORD with|without (the users of the bus and the authority)
set -e
checkout=$1 user=$2 uid=$3 password=$4 accounts=$5
mount -t tmpfs -o mode=755 none /run
mkdir -p /run/dbus /run/lock /run/systemd/system /run/polkit-1/actions /run/polkit-1/rules.d /run/checkout /run/stage
cp -a /etc /run/stage/etc
etc=/run/stage/etc
if [ "$accounts" = without ]; then
    for file in passwd group shadow gshadow; do
        if [ -e "$etc/$file" ]; then sed -i '/^\(messagebus\|polkitd\):/d' "$etc/$file"; fi
    done
fi
echo "$user:x:$uid:$uid::/:/bin/sh" >>"$etc/passwd"
echo "$user:$(openssl passwd -6 "$password"):19000:0:99999:7:::" >>"$etc/shadow"
sed -i "/^sudo:/d; /^$user:/d" "$etc/group"
printf 'sudo:x:27:%s\n%s:x:%s:\n' "$user" "$user" "$uid" >>"$etc/group"
mkdir -p "$etc/polkit-1/rules.d" "$etc/systemd/system"
chmod 755 "$etc/polkit-1/rules.d"
mount --bind "$etc" /etc
mount --bind "$checkout" /run/checkout
# files that units of Debian name, as if logind and others had run
mkdir -p /run/systemd/seats
mount -t tmpfs -o mode=755 none /var/log
touch /var/log/wtmp
if [ -d /var/lib/AccountsService ]; then mount -t tmpfs -o mode=755 none /var/lib/AccountsService; fi
ln -s /run/stack/bus /run/dbus/system_bus_socket
ln -s /run/stack/systemd/private /run/systemd/private
echo staged
exec cat >/dev/null
