# A container of crun(1) on this machine's files, whose changes are lost. crun wants cgroup v2 alone at /sys/fs/cgroup.
# container.sh FOLDER CONFIG NAME SHIFT LAYERS: user 0 of the container is user SHIFT of this machine; LAYERS are folders, or /
set -e
folder=$1 config=$2 name=$3 shift=$4 lower=$5
mount -t tmpfs -o mode=755 none "$folder"
mkdir "$folder/root" "$folder/upper" "$folder/work"
if [ "$shift" -gt 0 ]; then
    lower=$folder/lower
    mkdir "$lower"
    mount --bind -o "X-mount.idmap=b:0:$shift:65536" / "$lower"
    chown "$shift:$shift" "$folder/upper" "$folder/work"
fi
mount -t overlay -o "lowerdir=$lower,upperdir=$folder/upper,workdir=$folder/work" none "$folder/root"
mount -t cgroup2 none /sys/fs/cgroup
cp "$config" "$folder/config.json"
exec crun --root "$folder/state" --cgroup-manager=disabled run --bundle "$folder" "$name"
