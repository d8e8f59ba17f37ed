# suite.sh FOLDER TESTS SCRIPT COMMAND…: runs a script of systemd's own tests against the manager that
# COMMAND suite.target runs; those of TEST-04 beside holdfast.target. SUITE_EDITS is a script of sed(1) that edits it before.
# TESTS is the folder that they expect as /usr/lib/systemd/tests; FOLDER takes what is made. The script and the manager
# see the machine's files, but all that they write is in memory: the root is an overlay in a mount namespace, with a
# /run, /dev, network, bus and processes of its own, and the clock cannot be set. Ends with the status of the
# script; what the manager says comes first.
set -eu
folder=$1 tests=$2 script=$3
shift 3

inside() {
    mount --make-rprivate /
    mount -t tmpfs none "$folder"
    cd "$folder"
    mkdir upper work root
    mount -t overlay -o lowerdir=/,upperdir=upper,workdir=work none root
    cd root
    mount -t proc proc proc
    mount -t sysfs -o ro sysfs sys
    mount -t cgroup2 cgroup2 sys/fs/cgroup
    mount -t tmpfs -o mode=755 none run
    mount -t tmpfs -o mode=755 none dev
    for node in null zero full random urandom tty; do
        : >dev/$node
        mount --bind /dev/$node dev/$node
    done
    ln -s /proc/self/fd dev/fd
    mkdir dev/shm
    mkdir -p usr/lib/systemd/tests run/systemd/system run/lock old
    mount --bind "$tests" usr/lib/systemd/tests
    pivot_root . old
    cd /
    umount -l old
    ip link set lo up
    cd /usr/lib/systemd/tests/testdata
    units=${script%%.*}.units
    if [ -d "$units" ]; then
        cp -r "$units"/. /run/systemd/system/
        for payload in "$units"/*.sh; do # the cgroups of the manager are not those of PID 1
            if [ -f "$payload" ]; then
                sed -i 's,/sys/fs/cgroup/system.slice,/sys/fs/cgroup/holdfast.slice/system.slice,' "$payload"
            fi
        done
    fi
    cp -r units/success-failure-test*.service /run/systemd/system/
    if [ ! -e /usr/lib/systemd/system/systemd-importd.service ]; then # TEST-03 takes it as any service
        printf '[Service]\nExecStart=sleep infinity\n' >/run/systemd/system/systemd-importd.service
    fi
    printf '[Unit]\nDefaultDependencies=no\n' >/run/systemd/system/suite.target
    export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 SYSTEMD_PAGER=
    mkdir -p /run/dbus
    bus=unix:path=/run/dbus/system_bus_socket
    cat >/run/bus.conf <<CONF
<busconfig><type>system</type><listen>$bus</listen><auth>EXTERNAL</auth><policy context="default">
<allow own="*"/><allow send_destination="*"/><allow receive_sender="*"/><allow user="*"/></policy></busconfig>
CONF
    dbus-daemon --config-file=/run/bus.conf --fork --nopidfile --nosyslog # systemd-run waits by it
    case $script in
        TEST-04-*) # with a receiver of log messages
            targets='holdfast.target suite.target'
            sockets='/run/systemd/journal/io.systemd.journal /run/systemd/journal/stdout'
            ;;
        *) targets=suite.target sockets=/run/holdfast/systemd/private ;;
    esac
    "$@" --bus $bus $targets </dev/null >/run/manager.log 2>&1 &
    manager=$!
    turns=0
    until ls $sockets >/dev/null 2>&1 && busctl status org.freedesktop.systemd1 >/dev/null 2>&1; do
        turns=$((turns + 1))
        if [ $turns -ge 1200 ] || ! kill -0 $manager 2>/dev/null; then
            cat /run/manager.log
            echo "the manager does not come up"
            exit 99
        fi
        sleep 0.05
    done
    ln -s /run/holdfast/systemd/private /run/systemd/private
    status=0
    script=/usr/lib/systemd/tests/testdata/units/$script
    sed "${SUITE_EDITS-}" "$script" >/run/script
    chmod +x /run/script
    mount --bind /run/script "$script"
    case $script in
        */TEST-04-*)
            systemd-cat true # the receiver runs before the script, as journald does: it stamps what it receives
            journalctl --sync
            # what the script says is in the journal, as in systemd's own runs, and the manager prints it
            trap '' PIPE # IgnoreSIGPIPE= of services
            systemd-cat -t script timeout 250 "$script" </dev/null || status=$?
            ;;
        *) timeout 120 bash "$script" >/run/script.log 2>&1 </dev/null || status=$? ;;
    esac
    kill $manager 2>&1 || true
    wait $manager || echo "the manager ends with $?"
    cat /run/manager.log
    cat /run/script.log 2>/dev/null || true
    exit $status
}

if [ "${SUITE_INSIDE-}" ]; then
    unset SUITE_INSIDE
    inside "$@"
fi

own=$(sed -n 's/^0:://p' /proc/self/cgroup)
mounted=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
cgroup=${mounted}${own%/}/hfsuite$$
mkdir "$cgroup"
end() {
    echo 1 >"$cgroup/cgroup.kill"
    wait
    while [ -d "$cgroup" ]; do # until the last process has left it
        find "$cgroup" -depth -type d -exec rmdir {} + 2>/dev/null || sleep 0.01
    done
}
trap end EXIT
status=0
SUITE_INSIDE=yes sh -c 'echo $$ >"$1/cgroup.procs"; shift; exec setpriv --bounding-set=-sys_time \
    unshare --pid --fork --kill-child --mount --cgroup --uts --ipc --net sh "$@"' sh "$cgroup" "$0" "$folder" "$tests" "$script" "$@" || status=$?
exit $status
