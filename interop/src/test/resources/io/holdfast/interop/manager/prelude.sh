# Functions for the scripts of the cases. $dir is the folder of the case; $polls bounds waits, in turns of 20 ms.

# Runs a command, and writes it with all that it writes and its status, if that is not 0.
step() {
    case $1 in
    *"
"*) printf '%s\n' "$1" | sed '1s/^/$ /; 2,$s/^/> /' ;;
    *) printf '$ %s\n' "$1" ;;
    esac
    eval "$1" 2>&1
    status=$?
    [ "$status" = 0 ] || echo "[$status]"
}

# systemctl(1), without its hints, and without the manager's words behind an error.
systemctl() {
    { stderr=$(command systemctl --no-pager "$@" 2>&1 >&3); rc=$?; } 3>&1
    [ -z "$stderr" ] || echo "$stderr" |
        sed -e '/^See "/d; /^See user logs/d; /^See system logs/d; /^Hint: /d' -e 's/ See .journalctl -xe. for details\.//' -e 's/^\(Failed to [^:]*\): .*/\1/'
    return $rc
}

# error WORD…: prints the D-Bus error that a systemctl command receives.
error() {
    SYSTEMD_LOG_LEVEL=debug command systemctl --no-pager "$@" 2>&1 >/dev/null |
        sed -n 's/.*type=error.* error-name=\([^ ]*\) .*/\1/p' | sort -u
}

# show UNIT PROPERTY…: on one line, in this order.
show() {
    unit=$1
    shift
    command systemctl show -p "$(IFS=,; echo "$*")" "$unit" | awk -F= -v names="$*" '
        { line[$1] = $0 }
        END {
            n = split(names, name, " ")
            for (i = 1; i <= n; i++)
                printf "%s%s", name[i] in line ? line[name[i]] : "(no " name[i] ")", i < n ? " " : "\n"
        }'
}

# words UNIT PROPERTY: the words of a property whose order means nothing, sorted.
words() { echo "$2="$(command systemctl show -P "$2" "$1" | tr ' ' '\n' | sort); }

# state UNIT…: active state, sub-state and, where the kind of unit has one, result.
state() {
    command systemctl show -p Id,ActiveState,SubState,Result "$@" | awk -F= '
        function told() {
            print value["Id"], value["ActiveState"] "/" value["SubState"] ("Result" in value ? " " value["Result"] : "")
            delete value
        }
        /^$/ { told(); next }
        { value[$1] = $2 }
        END { told() }'
}

# alive PID: whether the process runs; one that has ended and is not reaped yet does not.
alive() { sed -n 's/^State:\t//p' "/proc/$1/status" 2>/dev/null | grep -q '^[^ZX]'; }

# until_true COMMAND: waits, bounded.
until_true() {
    turns=0
    until eval "$1"; do
        turns=$((turns + 1))
        [ $turns -lt $polls ] || { echo "waited in vain: $1"; return 1; }
        sleep 0.02
    done
}

# await UNIT PROPERTY VALUE: waits until it has that value.
await() { until_true "[ \"\$(command systemctl show -P $2 '$1')\" = '$3' ]"; }

# settle: waits until there are no jobs.
settle() { until_true '[ -z "$(command systemctl list-jobs --no-legend)" ]'; }

# on_bus: runs a bus, and waits until the manager is on it; systemd-run(1) waits for a service by it.
on_bus() {
    cat >"$dir/bus.conf" <<CONF
<busconfig><type>system</type><listen>unix:path=$dir/bus</listen><auth>EXTERNAL</auth><policy context="default">
<allow own="*"/><allow send_destination="*"/><allow receive_sender="*"/><allow user="*"/></policy></busconfig>
CONF
    mkdir -p /run/systemd/system /run/dbus
    ln -sf "$dir/bus" /run/dbus/system_bus_socket
    printf '%s\n' '[Unit]' DefaultDependencies=no '[Socket]' "ListenStream=$dir/bus" >/run/systemd/system/dbus.socket
    printf '%s\n' '[Unit]' DefaultDependencies=no Requires=dbus.socket '[Service]' Type=notify \
        "ExecStart=/usr/bin/dbus-daemon --config-file=$dir/bus.conf --address=systemd: --nofork --nopidfile" \
        >/run/systemd/system/dbus.service
    command systemctl start dbus.service
    until_true 'busctl status org.freedesktop.systemd1 >/dev/null 2>&1'
}

# renew: replaces the manager by a new process. With $keeper, its keeper's PID, the manager is killed.
renew() {
    if [ -z "${keeper-}" ]; then
        command systemctl daemon-reexec
    else
        for child in $(cat "/proc/$keeper/task/$keeper/children"); do
            if tr '\0' '\n' <"/proc/$child/environ" | grep -q ^HOLDFAST_KEEPER=; then kill -KILL "$child"; fi
        done
    fi
    until_true 'command systemctl list-jobs >/dev/null 2>&1'
}

# jobs: all jobs, without their numbers.
jobs() { command systemctl list-jobs --no-legend --plain --full | awk '{ print $2, $3, $4 }' | sort; }

# job UNIT: the number of its job.
job() { command systemctl show -P Job "$1"; }

# reached NAME: waits until a process is at this gate.
reached() { until_true "[ -e '$dir/reached.$1' ]"; }

# open NAME: waits until a process is at this gate, and lets it continue.
open() {
    reached "$1" || return
    rm "$dir/reached.$1"
    timeout 30 sh -c 'echo >"$0"' "$dir/gate.$1"
}

# over: opens all gates for good, so that all can stop, and removes links out of the folder.
over() {
    : >"$dir/over"
    find "$dir/units" -lname '/dev/*' -delete
    for reached in "$dir"/reached.*; do
        [ ! -e "$reached" ] || timeout 0.2 sh -c 'echo >"$0"' "$dir/gate.${reached##*/reached.}" # nobody need be there
    done
}

# notes: all words that units have noted since the last call.
notes() {
    cat "$dir/notes" 2>/dev/null | tr '\n' ' ' | sed 's/ $/\n/'
    rm -f "$dir/notes"
}

# noted WORDS: waits until these are the last words that units have noted.
noted() { until_true "[ \"\$(tail -n 1 '$dir/notes' 2>/dev/null)\" = '$*' ]"; }

# connect SOCKET [TEXT]: sends a line to a stream socket, and prints the answer.
connect() {
    /usr/bin/python3 - "$@" <<'END'
import socket, sys
client = socket.socket(socket.AF_UNIX)
client.settimeout(30)
client.connect(sys.argv[1])
client.sendall((sys.argv[2] if len(sys.argv) > 2 else "hello").encode() + b"\n")
client.shutdown(socket.SHUT_WR)
print(client.makefile().read(), end="")
END
}

# links: the links of enabled and masked units, and where they lead.
links() { find /etc/systemd/system /run/systemd/system -type l -printf '%p -> %l\n' 2>/dev/null | sort; }
