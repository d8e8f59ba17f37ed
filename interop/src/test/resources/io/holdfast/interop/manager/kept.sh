# kept.sh FOLDER killed|renewed COMMAND…: runs the script of a case against the manager that COMMAND runs below its
# keeper, in a mount namespace of its own where /etc/systemd, /run and /var/lib are folders of the case.
folder=$1 how=$2
shift 2
cd "$folder" && mkdir -p /etc/systemd
mount --bind etc/systemd /etc/systemd
mount --bind run /run
mount --bind lib /var/lib
cd /
export SYSTEMD_UNIT_PATH=/etc/systemd/system:/run/systemd/system:$folder/units:$folder/base
: >"$folder/manager.log"
"$@" </dev/null >>"$folder/manager.log" 2>&1 &
up=$!
turns=0
until grep -q '^holdfast: ready' "$folder/manager.log"; do
    turns=$((turns + 1))
    if [ $turns -ge 600 ] || ! kill -0 $up; then
        echo "the manager is not ready after $turns turns"
        cat "$folder/manager.log"
        exit 99
    fi
    sleep 0.05
done
ln -s /run/holdfast/systemd/private /run/systemd/private
if [ "$how" = killed ]; then export keeper=$up; fi
sh "$folder/script.sh" || echo "the script ends with $?"
kill $up
wait $up || { echo "the manager ends with $?"; cat "$folder/manager.log"; }
