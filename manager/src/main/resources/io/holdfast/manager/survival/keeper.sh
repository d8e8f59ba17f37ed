# The keeper of a manager: holds what must outlive it, and starts it again when it dies. Read by Keeper.java, which says how.
#
# $1: the number of a pipe's end to read, through which both ends are opened; $2: the numbers of all descriptors that the manager
# is to inherit; $3: not empty if SIGHUP was ignored; the others: its command, which finds the build that is the newest at that moment.
# The manager writes one word a line to its descriptor 8. Its end is the end of file: then it has died, unless it said "exit".
#
# Nothing here may wait for a child unasked: that would reap all of them, and the status of a service that has exited while
# there is no manager would be lost. So there is no command that is not of the shell itself, and SIGCHLD is blocked from the
# start: dash looks for children that have exited when it has come. A subshell is waited for, and all that exited before it.
# (bash reaps at once whatever is done; then only Linux 6.15 and later know the status of such a service.)
pipe=/proc/self/fd/$1
export HOLDFAST_KEEPER="$2" HOLDFAST_AS_BUILT=yes # nothing is built while services have no manager
[ -z "$3" ] || export HOLDFAST_HANGUP_IGNORED=yes
shift 3
manager=
up=     # the manager hears signals
ready=  # there was one that did
asked=  # to stop: the signal that did
failed=0 # starts in a row that came to no manager

# A subshell that cannot be forked, as where pids.max is reached, would end the shell: not behind "command eval". It would end bash even
# so, which needs none.
reap() {
    [ -n "${BASH_VERSION-}" ] || command eval '( : )' 2>/dev/null || :
}

# Until the manager hears signals they would only kill it: it is told of a stop then, and reads its files anyway. A second wish
# to stop does kill it.
forward() {
    signalled=yes
    if [ -n "$up" ] || { [ -n "$asked" ] && [ "$1" != HUP ]; }; then
        [ -z "$manager" ] || kill -s "$1" "$manager" 2>/dev/null || :
    fi
    [ "$1" = HUP ] || asked=$1
}
trap 'forward TERM' INT # the manager ignores what the terminal sends to all
trap 'forward TERM' TERM
trap 'forward HUP' HUP
trap '' QUIT
if [ $$ = 1 ]; then # what runtimes send to the init of a container: SIGRTMIN+3 and +4, SIGPWR; SIGRTMIN+5 to restart it
    trap 'forward TERM' 37 38 PWR
    trap 'forward USR1' 39
fi
# A systemd whose watchdog has heard nothing sends this: the manager hangs, and the next keeper takes over.
trap '[ -z "$manager" ] || kill -s KILL "$manager"; exit 134' ABRT

while :; do
    exec 8>"$pipe" # the manager has its end from the first moment on: without one there is nothing to read
    "$@" &
    manager=$!
    exec 7<"$pipe" 8>&-
    status=
    while :; do
        signalled=
        if read -r word argument <&7; then
            case $word in
            ready)
                up=yes ready=yes
                [ -z "$asked" ] || kill -s "$asked" "$manager"
                ;;
            here) failed=0 ;;
            reap) reap ;;
            exit) status=$argument ;;
            esac
        elif [ -z "$signalled" ]; then
            break
        fi
    done
    exec 7<&-
    up=
    [ -z "$status" ] || exit "$status"
    if [ -z "$ready" ]; then # nothing is lost yet, and its status is all that there is to tell
        while kill -0 "$manager" 2>/dev/null; do
            ( : ) # without SIGCHLD "wait" would not notice
        done
        wait "$manager"
        exit
    fi
    manager= # its number is its own as long as it is not reaped: from here on it may be
    failed=$((failed + 1)) # a manager that comes so far to say "here" waits by itself, and reaps nothing
    [ "$failed" -le 2 ] || (exec sleep $((failed > 10 ? 30 : failed)))
done
