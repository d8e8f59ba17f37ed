package io.holdfast.manager.exec;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.process.Cgroup;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.SysStat;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * The variables by which a service learns where it can watch for a shortage of memory.
 *
 * @see <a href="https://systemd.io/MEMORY_PRESSURE/">Memory Pressure Handling in systemd</a>
 */
final class MemoryPressure {
    private static final String FILE = "memory.pressure";

    /** What the service writes to the file, in Base64: a stall of 200 ms within two seconds. */
    private static final String TRIGGER = "c29tZSAyMDAwMDAgMjAwMDAwMAA=";

    private static final long UNCHANGED = -1;

    private MemoryPressure() {}

    /** {@return the path of the file of a cgroup that reports the pressure} */
    static String path(Cgroup cgroup) {
        return Cgroup.mountPoint() + cgroup.path() + "/" + FILE;
    }

    /**
     * Returns the variables; none if the kernel does not measure the pressure of this cgroup. Lets
     * the user of the service write to the file.
     *
     * @param uid of the service; empty: the manager's
     */
    static Map<String, String> variables(Optional<Cgroup> cgroup, OptionalLong uid) {
        if (cgroup.isEmpty()) {
            return Map.of();
        }
        try (Fd file = Fcntl.open(cgroup.get().fd(), FILE, Fcntl.O_PATH | Fcntl.O_NOFOLLOW, 0)) {
            if (uid.isPresent() && SysStat.chown(file, uid.getAsLong(), UNCHANGED) < 0) {
                return Map.of();
            }
            return Map.of(
                    "MEMORY_PRESSURE_WATCH", path(cgroup.get()), "MEMORY_PRESSURE_WRITE", TRIGGER);
        } catch (ErrnoException e) {
            return Map.of();
        }
    }
}
