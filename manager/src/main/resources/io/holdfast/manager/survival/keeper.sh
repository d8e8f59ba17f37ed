# The keeper of a manager: holds what must outlive it, and starts it again when it dies. Read by Keeper.java, which says how.
#
# $1: the number of a pipe's end to read, through which both ends are opened; $2: the numbers of all descriptors that the manager
# is to inherit; $3: not empty if SIGHUP was ignored; the others: its command, which finds the build that is the newest at that moment.
# The manager writes one word a line to its descriptor 8. EOF without a preceding "exit" means that it died.
#
# Only "wait PID" and foreground commands may reap, and only where the comments say so: a plain "wait", or SIGCHLD in dash, would
# reap orphaned services and lose their exit statuses. So only builtins are used, and SIGCHLD is blocked from the start.
# (bash reaps at once whatever is done; then only Linux 6.15 and later know the status of such a service.)
pipe=/proc/self/fd/$1
export HOLDFAST_KEEPER="$2" HOLDFAST_AS_BUILT=yes # nothing is built while services have no manager
[ -z "$3" ] || export HOLDFAST_HANGUP_IGNORED=yes
shift 3
manager=
up=     # this manager has installed its signal handlers
pauses= # this manager pauses before it begins
ready=  # some manager has been ready
asked=  # the signal that requested the stop
hangup= # SIGHUP came before this manager was ready
failed=0 # consecutive failed starts
early=0 # consecutive managers that died before they were ready, since the stop was requested
most_early=3
most_waits=250 # of 20 ms: how long a manager that ends may take to exit

# A failed fork, as where pids.max is reached, ends dash unless it runs in "command eval". bash exits in either case, but never needs to
# fork here.
reap() {
    [ -n "${BASH_VERSION-}" ] || command eval '( : )' 2>/dev/null || :
}

# Before the manager has signal handlers, a signal would only kill it. So a stop or a hangup before the manager is ready is forwarded once
# it is; a second request kills it. A manager that pauses has nothing to lose: it is killed, and the next one does not pause.
forward() {
    signalled=yes
    if [ -n "$up" ] || { [ "$1" != HUP ] && [ -n "$asked$pauses" ]; }; then
        [ -z "$manager" ] || kill -s "$1" "$manager" 2>/dev/null || :
    elif [ "$1" = HUP ]; then
        hangup=yes
    fi
    [ "$1" = HUP ] || { [ -n "$asked" ] || early=0; asked=$1; }
}
trap 'forward TERM' INT # the manager ignores what the terminal sends to all
trap 'forward TERM' TERM
trap 'forward HUP' HUP
trap '' QUIT
if [ $$ = 1 ]; then # what runtimes send to the init of a container: SIGRTMIN+3 and +4, SIGPWR; SIGRTMIN+5 to restart it
    trap 'forward TERM' 37 38 PWR
    trap 'forward USR1' 39
    # Images choose these to be stopped by, httpd and nginx for example; a terminal sends them for other reasons.
    [ -t 0 ] || trap 'forward TERM' QUIT WINCH
fi
# systemd sends SIGABRT when the watchdog expires: the manager hangs, and the next keeper takes over.
trap '[ -z "$manager" ] || kill -s KILL "$manager"; exit 134' ABRT

# Waits for the exit of a manager that has said that it ends, or that was never ready, and reaps it: nothing is left to adopt. The wait is
# limited, because a thread of the manager can be blocked in the kernel for as long as another user likes.
await_exit() {
    waits=0
    while kill -0 "$manager" 2>/dev/null; do
        if [ "$waits" -ge "$most_waits" ]; then
            echo "holdfast: the manager (PID $manager) has ended but does not exit: a thread of it is blocked in the kernel" >&2
            return 1
        fi
        waits=$((waits + 1))
        command eval '(sleep 0.02 2>/dev/null || sleep 1)' # reaps as well: without SIGCHLD "wait" would not notice
    done
}

while :; do
    exec 8>"$pipe" # the manager has its end from the first moment on: without one there is nothing to read
    [ -z "$asked" ] || export HOLDFAST_STOP_REQUESTED=yes
    "$@" &
    manager=$!
    exec 7<"$pipe" 8>&-
    status=
    while [ -z "$status" ]; do
        signalled=
        if read -r word argument <&7; then
            case $word in
            ready)
                up=yes ready=yes
                [ -z "$asked" ] || kill -s "$asked" "$manager"
                [ -z "$hangup" ] || kill -s HUP "$manager"
                hangup=
                ;;
            here) failed=0 pauses= ;;
            pauses)
                pauses=yes
                [ -z "$asked" ] || kill -s "$asked" "$manager"
                ;;
            reap) reap ;;
            exit) status=$argument ;;
            esac
        elif [ -z "$signalled" ]; then
            break
        fi
    done
    exec 7<&-
    early=$((early + 1))
    [ -z "$up" ] || early=0
    up='' pauses=''
    if [ -n "$status" ]; then
        await_exit || :
        exit "$status"
    fi
    if [ -z "$ready" ]; then # it never became ready: exit with its status
        await_exit || exit 1
        wait "$manager"
        exit
    fi
    if [ -n "$asked" ] && [ "$early" -ge "$most_early" ]; then
        echo "holdfast: $early managers in a row died before they could stop the units; the processes of the units are left running" >&2
        exit 1
    fi
    manager= # from here on the PID may be reused
    failed=$((failed + 1)) # a manager that has said "here" does its own waiting, and reaps nothing
    [ "$failed" -le 2 ] || [ -n "$asked" ] || (exec sleep $((failed > 10 ? 30 : failed)))
done
