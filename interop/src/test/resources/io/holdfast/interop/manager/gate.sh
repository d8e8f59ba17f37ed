# gate.sh NAME: waits until the gate is opened, or the script is over.
dir=${0%/*}
[ -p "$dir/gate.$1" ] || mkfifo "$dir/gate.$1" 2>/dev/null
: >"$dir/reached.$1"
[ -e "$dir/over" ] || read -r _ <"$dir/gate.$1"
