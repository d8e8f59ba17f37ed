# The keeper of a manager: holds what must outlive it, and starts it again when it dies. Read by Keeper.java, which says how.
#
# $1: the number of a FIFO that no name leads to; the others: the command of the manager.
# The manager writes one word a line to its descriptor 8. Its end is the end of file: then it has died, unless it said "exit".
#
# Nothing here may wait for a child: that would reap all of them (dash), and the status of a service that has exited while
# there is no manager would be lost. So no command that is not of the shell itself, but for "reap" and when there is time.
fifo=/proc/self/fd/$1
shift
manager=
ready=
crashes=0

forward() {
    signalled=yes
    [ -z "$manager" ] || kill -s "$1" "$manager" 2>/dev/null || :
}
trap 'forward TERM' INT # the manager ignores what the terminal sends to all
trap 'forward TERM' TERM
trap 'forward HUP' HUP
trap '' QUIT

while :; do
    exec 6<>"$fifo"
    "$@" 6>&- 8>"$fifo" &
    manager=$!
    exec 7<"$fifo" 6>&-
    status=
    while :; do
        signalled=
        if read -r word argument <&7; then
            case $word in
            ready) ready=yes ;;
            stable) crashes=0 ;;
            reap) /bin/true ;;
            exit) status=$argument ;;
            esac
        elif [ -z "$signalled" ]; then
            break
        fi
    done
    exec 7<&-
    [ -z "$status" ] || exit "$status"
    if [ -z "$ready" ]; then # nothing is lost yet
        wait "$manager"
        exit
    fi
    crashes=$((crashes + 1))
    [ "$crashes" -le 3 ] || sleep $((crashes > 10 ? 30 : crashes))
done
