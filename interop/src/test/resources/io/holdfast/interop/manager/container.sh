# container.sh FOLDER: runs systemd(1) as PID 1 of a container until its own standard input ends. /case there is
# FOLDER/case, where the unit files of a case are in units and those of all cases in base. Each folder that a line of
# FOLDER/shared names is there, too, not to be written. Writes "booted PID", PID as
# it is outside, when default.target is reached. All mounts are those of a mount namespace, and go with it.
set -eu
folder=$1

inside() {
    mount --make-rprivate /
    mkdir -p "$folder/root"
    mount -t tmpfs -o mode=755 tmpfs "$folder/root"
    cd "$folder/root"
    mkdir -p etc/systemd/system usr run tmp var/tmp root case proc sys dev old
    mount --rbind /usr usr
    mount -o remount,bind,ro usr
    for link in bin sbin lib lib32 lib64; do
        if [ -L "/$link" ]; then cp -P "/$link" .; fi
    done
    for file in passwd group nsswitch.conf ld.so.cache alternatives os-release; do
        cp -a "/etc/$file" etc/ 2>/dev/null || true
    done
    tr -d - </proc/sys/kernel/random/uuid >etc/machine-id # an empty one would be a first boot
    mount --bind "$folder/case" case
    mount -t proc proc proc
    mount --bind proc/sys proc/sys
    mount -o remount,bind,ro proc/sys
    mount -t sysfs -o ro sysfs sys
    mount -t cgroup2 cgroup2 sys/fs/cgroup
    mount -t tmpfs -o mode=755 tmpfs run
    mount -t tmpfs tmpfs tmp
    mount -t tmpfs -o mode=755 tmpfs dev
    for node in null zero full random urandom tty autofs; do
        : >dev/$node
        mount --bind /dev/$node dev/$node
    done
    ln -s /proc/self/fd dev/fd
    mkdir dev/pts
    mount -t devpts -o newinstance,mode=620,ptmxmode=666 devpts dev/pts
    ln -s pts/ptmx dev/ptmx
    while read -r shared; do
        mkdir -p ".$shared"
        mount --bind "$shared" ".$shared"
        mount -o remount,bind,ro ".$shared"
    done <"$folder/shared"
    pivot_root . old
    cd /
    umount -l old
    mount --make-rshared / # as in every container of systemd-nspawn(1): credentials are mounted by another process
    exec env -i PATH=/usr/sbin:/usr/bin container=holdfast TERM=dumb \
        SYSTEMD_UNIT_PATH=/run/systemd/transient:/etc/systemd/system:/run/systemd/system:/case/units:/case/base \
        SYSTEMD_GENERATOR_PATH=/nonexistent /usr/lib/systemd/systemd --unit=booted.service --show-status=no \
        --log-target=null --default-standard-output=null
}

if [ "${2-}" = inside ]; then inside; fi

own=$(sed -n 's/^0:://p' /proc/self/cgroup)
mounted=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
cgroup=${mounted}${own%/}/hfcases$$
mkdir "$cgroup"
end() {
    echo 1 >"$cgroup/cgroup.kill"
    wait
    while [ -d "$cgroup" ]; do # until the last process has left it
        find "$cgroup" -depth -type d -exec rmdir {} + 2>/dev/null || sleep 0.01
    done
    rmdir "$folder/root" 2>/dev/null || true
}
trap end EXIT

cat >"$folder/case/base/booted.service" <<'UNIT'
[Unit]
Requires=default.target
After=default.target
[Service]
Type=oneshot
ExecStart=/bin/sh -c 'echo >/case/booted'
UNIT
mkfifo "$folder/case/booted"
sh -c 'echo $$ >"$1/cgroup.procs"; exec unshare --pid --fork --kill-child --mount --cgroup --uts --ipc --net \
    sh "$2" "$3" inside' sh "$cgroup" "$0" "$folder" </dev/null &
unshare=$!
( # a container that does not boot must not be waited for
    wait_for() { while [ -e "/proc/$unshare/ns" ] && [ -p "$folder/case/booted" ]; do sleep 0.05; done; }
    wait_for
    if [ -p "$folder/case/booted" ]; then echo failed >"$folder/case/booted"; fi
) &
read -r failed <"$folder/case/booted"
rm -f "$folder/case/booted"
if [ -z "$failed" ]; then echo "booted $(cat "/proc/$unshare/task/$unshare/children")"; fi
cat >/dev/null
