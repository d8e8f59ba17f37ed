package io.holdfast.manager.device;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.EventLoop;
import io.holdfast.core.Fd;
import io.holdfast.core.sys.Unistd;
import io.holdfast.core.sys.socket.SysNetlink;
import io.holdfast.manager.device.UdevDatabase.Device;
import io.holdfast.manager.loop.Lane;
import io.holdfast.manager.loop.TableWatch;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;

/**
 * The devices that the units of a manager mean, read anew after each message of udev. What a
 * message says is not used, so that one that somebody else has sent changes nothing.
 */
public final class DeviceTable {
    private static final int KOBJECT_UEVENT = 15; // NETLINK_KOBJECT_UEVENT
    private static final int KERNEL_AND_UDEV = 3; // the groups
    private static final int MOST_MESSAGES = 256; // at once; more are read by the next turn

    private final UdevDatabase database;
    private final EventLoop loop;
    private final Consumer<String> warnings;
    private final Set<String> unknown = ConcurrentHashMap.newKeySet(); // that could not be read
    private Map<String, Device> last = Map.of(); // used by the lane, one read after the other
    private final Set<String> asked = ConcurrentHashMap.newKeySet();
    final TableWatch<Map<String, Device>> watch;

    /**
     * @param lane for the reads
     */
    public DeviceTable(EventLoop loop, Lane lane, Consumer<String> warnings) {
        this(new UdevDatabase(Path.of("/")), loop, lane, warnings);
    }

    DeviceTable(UdevDatabase database, EventLoop loop, Lane lane, Consumer<String> warnings) {
        this.database = database;
        this.loop = loop;
        this.warnings = warnings;
        watch =
                new TableWatch<>(
                        loop, lane, "devices", new Messages(), Map.of(), this::read, warnings);
    }

    Map<String, Device> read() {
        Map<String, Device> found = new HashMap<>();
        asked.forEach(path -> find(path).ifPresent(device -> found.put(path, device)));
        last = Map.copyOf(found);
        return last;
    }

    /** Returns a device, as it was last if that is not known now. */
    private Optional<Device> find(String path) {
        try {
            Optional<Device> device = database.find(path);
            boolean _ = unknown.remove(path);
            return device;
        } catch (IOException | IllegalArgumentException e) { // the path may be none
            if (unknown.add(path)) {
                loop.postEnding(() ->
                        warnings.accept("cannot find out whether " + path + " is plugged: " + e));
            }
            return Optional.ofNullable(last.get(path));
        }
    }

    void add(String path, TableWatch.Listener listener) {
        asked.add(path);
        watch.add(listener);
    }

    void remove(String path, TableWatch.Listener listener) {
        asked.remove(path);
        watch.remove(listener);
    }

    Optional<Device> at(String path) {
        return Optional.ofNullable(watch.table().get(path));
    }

    /** The messages of the kernel and of udev. */
    private static final class Messages implements TableWatch.Source {
        private final byte[] buffer = new byte[1];

        @Override
        public Fd open() {
            Fd socket = Fd.adopt(SysNetlink.socket(KOBJECT_UEVENT), "socket", "uevent");
            try {
                int _ =
                        ErrnoException.check(
                                SysNetlink.bind(socket, KERNEL_AND_UDEV), "bind", "uevent");
                return socket;
            } catch (ErrnoException e) {
                socket.close();
                throw e;
            }
        }

        @Override
        public void drain(Fd socket) {
            int n = 0;
            for (int i = 0; i < MOST_MESSAGES && n != -Errno.EAGAIN; i++) {
                n = Unistd.read(socket, buffer, 0, buffer.length); // ENOBUFS: some were lost
            }
        }
    }
}
