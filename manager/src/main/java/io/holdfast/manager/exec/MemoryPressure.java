package io.holdfast.manager.exec;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.process.Cgroup;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.SysStat;
import io.holdfast.manager.unit.resource.PressureWatch;
import io.holdfast.manager.unit.resource.ResourceDirective;
import io.holdfast.manager.unit.resource.ResourceSettings;
import io.holdfast.manager.unit.settings.NamespaceSettings.OwnCgroups;
import io.holdfast.manager.unit.value.TimeSpan;
import java.util.Base64;
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

    private static final String WATCH = "MEMORY_PRESSURE_WATCH";
    private static final long WINDOW = 2_000_000; // microseconds

    private static final long UNCHANGED = -1;

    private MemoryPressure() {}

    /** {@return the path of the file of a cgroup that reports the pressure} */
    static String path(Cgroup cgroup) {
        return Cgroup.mountPoint() + cgroup.path() + "/" + FILE;
    }

    /**
     * Returns the variables; none if the kernel does not measure the pressure of this cgroup, or if
     * the unit wants none. Lets the user of the service write to the file.
     *
     * @param uid of the service; empty: the manager's
     * @param seen the cgroups that the service sees; it cannot write to them if they are strict
     */
    static Map<String, String> variables(
            Optional<Cgroup> cgroup, ResourceSettings settings, OptionalLong uid, OwnCgroups seen) {
        PressureWatch.Mode mode = settings.pressure().mode();
        if (mode == PressureWatch.Mode.NO) {
            return Map.of(WATCH, "/dev/null"); // nothing to watch
        }
        boolean isWanted =
                mode == PressureWatch.Mode.YES
                        || (mode == PressureWatch.Mode.AUTO
                                && settings.isOn(ResourceDirective.MEMORY_ACCOUNTING));
        if (cgroup.isEmpty() || !isWanted || seen == OwnCgroups.STRICT) {
            return Map.of();
        }
        try (Fd file = Fcntl.open(cgroup.get().fd(), FILE, Fcntl.O_PATH | Fcntl.O_NOFOLLOW, 0)) {
            if (uid.isPresent() && SysStat.chown(file, uid.getAsLong(), UNCHANGED) < 0) {
                return Map.of();
            }
            return Map.of(
                    WATCH,
                    seen == OwnCgroups.NO ? path(cgroup.get()) : Cgroup.mountPoint() + "/" + FILE,
                    "MEMORY_PRESSURE_WRITE",
                    trigger(settings.pressure().threshold()));
        } catch (ErrnoException e) {
            return Map.of();
        }
    }

    /** Returns what the service writes to the file, in Base64: a stall within two seconds. */
    private static String trigger(TimeSpan threshold) {
        long stall = Math.clamp(threshold.micros(), 1, WINDOW);
        return Base64.getEncoder()
                .encodeToString(("some " + stall + " " + WINDOW + "\0").getBytes(US_ASCII));
    }
}
