# gate.sh NAME: waits until somebody opens the gate.
dir=${0%/*}
[ -p "$dir/gate.$1" ] || mkfifo "$dir/gate.$1" 2>/dev/null
: >"$dir/reached.$1"
read -r _ <"$dir/gate.$1"
