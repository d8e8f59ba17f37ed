# Installs, upgrades, removes and purges a package that this machine has: package.sh PACKAGE UNIT FILE
rm -f /usr/sbin/policy-rc.d
export DEBIAN_FRONTEND=noninteractive
package=$1 unit=$2 file=$3

quietly() { out=$("$@" 2>&1) || { echo "failed: $*"; echo "$out"; }; }
state() { echo "$1: $(systemctl is-enabled $unit 2>/dev/null) $(systemctl is-active $unit)"; }
run() { systemctl show -P InvocationID $unit; }

quietly apt-get purge -y $package
state purged
quietly dpkg -i $file
state installed
first=$(run)
quietly dpkg -i $file
state upgraded
[ "$(run)" != "$first" ] || echo "was not restarted"
systemctl disable --quiet $unit
quietly dpkg -i $file
state "upgraded when disabled"
quietly apt-get remove -y $package
echo "removed: $(systemctl is-active $unit)"
quietly apt-get purge -y $package
state purged
find /etc/systemd/system /var/lib/systemd/deb-systemd-helper-enabled -name "$unit"
