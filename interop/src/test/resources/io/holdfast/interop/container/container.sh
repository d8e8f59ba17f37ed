# A container of crun(1) on this machine's files, whose changes are lost. crun wants cgroup v2 alone at /sys/fs/cgroup.
# container.sh FOLDER CONFIG NAME
set -e
folder=$1 config=$2 name=$3
mount -t tmpfs -o mode=755 none "$folder"
mkdir "$folder/root" "$folder/upper" "$folder/work"
mount -t overlay -o "lowerdir=/,upperdir=$folder/upper,workdir=$folder/work" none "$folder/root"
mount -t cgroup2 none /sys/fs/cgroup
cp "$config" "$folder/config.json"
exec crun --root "$folder/state" --cgroup-manager=disabled run --bundle "$folder" "$name"
