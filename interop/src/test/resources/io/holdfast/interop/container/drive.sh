# Starts, asks, restarts, reloads and stops $unit by $systemctl, and prints the milliseconds of the start, the steps that failed, and
# the names of the processes that are left, which are killed.
others() { # of the list of processes
    while read -r pid state name; do
        case $state/$name in Z*/* | */sh | */java | */bash | */ps | */python3) ;; *) echo "$pid $name" ;; esac
    done <<<"$processes"
}
answers() {
    local end=$((SECONDS + 30))
    while ((SECONDS < end)); do
        if out=$(timeout 5 bash -c "$client" 2>/dev/null) && [[ $out == *"$answer"* ]]; then return; fi
        sleep 0.1
    done
    return 1
}
failed=
check() {
    step=$1
    shift
    "$@" >/dev/null 2>&1 || failed="$failed $step"
}
began=${EPOCHREALTIME/./}
check start timeout 60 $systemctl start "$unit"
took=$(((${EPOCHREALTIME/./} - began) / 1000))
check active $systemctl is-active "$unit"
check answer answers
check restart timeout 60 $systemctl restart "$unit"
check 'answer to a restarted one' answers
if grep -qs '^ExecReload=' "$file" && ! grep -qs '^ExecReload=$' /etc/systemd/system/"$unit".d/*; then
    check reload timeout 60 $systemctl reload "$unit"
    check 'answer to a reloaded one' answers
fi
sockets=$(sed -n 's/^Requires=\(.*\.socket\)$/\1/p' "$file" 2>/dev/null) # they would start it again
check stop timeout 60 $systemctl stop "$unit" $sockets
processes=$(ps -eo pid=,stat=,comm=)
left=$(others | cut -d ' ' -f 2 | sort -u | paste -sd,)
for pid in $(others | cut -d ' ' -f 1); do kill -KILL "$pid" 2>/dev/null; done
echo "$took;${failed# };$left"
