# What the maintainer scripts of Debian packages call for a unit, as dh_installsystemd writes it.
set -e
rm -f /usr/sbin/policy-rc.d # the images of containers have one that forbids to start services
unit=$1
export DPKG_MAINTSCRIPT_PACKAGE=${unit%.service}

state() { echo "$1: $(systemctl is-enabled $unit 2>&1) $(systemctl is-active $unit)"; }
run() { systemctl show -P InvocationID $unit; }

# postinst configure [OLD-VERSION]
configure() {
    deb-systemd-helper unmask $unit >/dev/null || true
    if deb-systemd-helper --quiet was-enabled $unit; then
        deb-systemd-helper enable $unit >/dev/null 2>&1 || true
    else
        deb-systemd-helper update-state $unit >/dev/null || true
    fi
    [ -d /run/systemd/system ]
    systemctl --system daemon-reload
    deb-systemd-invoke $1 $unit
}

unpack() { printf '[Service]\nExecStart=/bin/sleep 1000\n[Install]\nWantedBy=multi-user.target\nAlias=al-%s\n' $unit >/usr/lib/systemd/system/$unit; }

unpack
configure start
state installed
first=$(run)
configure restart
state upgraded
[ "$(run)" != "$first" ] || echo "was not restarted"
systemctl disable --quiet $unit
configure restart
state "upgraded when disabled"
deb-systemd-invoke stop $unit
state stopped
deb-systemd-invoke try-restart $unit
state "try-restart when stopped"
deb-systemd-invoke stop $unit # prerm remove
rm /usr/lib/systemd/system/$unit
systemctl --system daemon-reload # postrm remove
deb-systemd-helper purge $unit >/dev/null # postrm purge
state purged
find /etc/systemd/system /var/lib/systemd/deb-systemd-helper-enabled -name "*$unit*"
