package io.holdfast.manager.unit.settings;

import io.holdfast.core.process.CpuPolicy;
import io.holdfast.core.process.IoClass;
import io.holdfast.manager.unit.SharedParts;
import io.holdfast.manager.unit.directive.Assignment;
import io.holdfast.manager.unit.directive.SectionReader;
import io.holdfast.manager.unit.value.Scalars;
import java.util.Optional;

/**
 * The CPU and I/O scheduling of a service.
 *
 * @param cpuPolicy empty: the manager's
 * @param cpuPriority 1 to 99 for {@code FIFO} and {@code RR}, else 0
 * @param resetOnFork whether children start with the usual policy
 * @param ioClass empty: the manager's
 * @param ioPriority 0 (first) to 7
 * @see <a href="https://www.freedesktop.org/software/systemd/man/systemd.exec.html">systemd.exec,
 *     Scheduling</a>
 */
public record SchedulingSettings(
        Optional<CpuPolicy> cpuPolicy,
        int cpuPriority,
        boolean resetOnFork,
        Optional<IoClass> ioClass,
        int ioPriority) {
    /** Reads the settings. */
    public static final class Reader implements SectionReader {
        private static final int USUAL_IO_PRIORITY = 4;

        private Optional<CpuPolicy> cpuPolicy = Optional.empty();
        private Optional<Integer> cpuPriority = Optional.empty();
        private boolean resetOnFork;
        private Optional<IoClass> ioClass = Optional.empty();
        private Optional<Integer> ioPriority = Optional.empty();

        /** Creates a reader with the defaults. */
        public Reader() {}

        @Override
        public boolean assign(Assignment a) {
            switch (a.key()) {
                case "CPUSchedulingPolicy" ->
                        cpuPolicy =
                                a.optional(cpuPolicy, text -> constant(CpuPolicy.values(), text));
                case "CPUSchedulingPriority" ->
                        cpuPriority =
                                a.optional(cpuPriority, text -> Scalars.parseInt(text, 0, 99));
                case "CPUSchedulingResetOnFork" -> resetOnFork = a.bool(resetOnFork);
                case "IOSchedulingClass" -> ioClass = a.optional(ioClass, Reader::ioClass);
                case "IOSchedulingPriority" ->
                        ioPriority = a.optional(ioPriority, text -> Scalars.parseInt(text, 0, 7));
                default -> {
                    return false;
                }
            }
            return true;
        }

        private static <E extends Enum<E>> E constant(E[] constants, String text) {
            return Scalars.parseWord(constants, text);
        }

        private static IoClass ioClass(String text) {
            for (IoClass one : IoClass.values()) {
                if (String.valueOf(one.number()).equals(text)) {
                    return one;
                }
            }
            return constant(IoClass.values(), text);
        }

        public SchedulingSettings build() {
            boolean realTime = cpuPolicy.map(CpuPolicy::isRealTime).orElse(false);
            Optional<IoClass> io =
                    ioClass.isEmpty() && ioPriority.isPresent()
                            ? Optional.of(IoClass.BEST_EFFORT)
                            : ioClass;
            boolean levels = io.isPresent() && io.get() != IoClass.NONE && io.get() != IoClass.IDLE;
            return SharedParts.of(
                    new SchedulingSettings(
                            cpuPolicy.isEmpty() && resetOnFork
                                    ? Optional.of(CpuPolicy.OTHER)
                                    : cpuPolicy,
                            realTime ? Math.max(1, cpuPriority.orElse(1)) : 0,
                            resetOnFork,
                            io,
                            levels ? ioPriority.orElse(USUAL_IO_PRIORITY) : 0));
        }
    }
}
