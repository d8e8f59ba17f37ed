package io.holdfast.core.process;

import io.holdfast.core.sys.KernelFile;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A storable name of a process, which can be restored to a {@link PidFd} as long as the process
 * lives ({@link PidFd#restore}). The PID alone identifies nothing.
 *
 * <pre>{@code
 * String written = child.pidFd().processId().toString(); // 4711:8734:8c1e6a0e-…
 * try (PidFd process = PidFd.restore(ProcessId.parse(written))) {
 *     …
 * }
 * }</pre>
 *
 * <p>The form without the boot id, {@code 4711:8734}, is accepted by kill(1), waitpid(1) and the
 * other tools of util-linux; it refers to the boot in which it is read.
 *
 * @param pid the PID, in the PID namespace of the writer of the name; if the process with the id
 *     has another PID, the name is refused
 * @param pidfdId the pidfs inode number, unique in a boot (Linux 6.9)
 * @param bootId the boot in which the id is valid; empty: the boot of the reader
 */
public record ProcessId(int pid, OptionalLong pidfdId, Optional<UUID> bootId) {

    private static volatile @Nullable UUID boot; // null until it was read

    /**
     * Checks the PID.
     *
     * @throws IllegalArgumentException if the PID is negative
     */
    public ProcessId {
        if (pid < 0) {
            throw new IllegalArgumentException("not a PID: " + pid);
        }
    }

    /** {@return the id of this boot ({@code /proc/sys/kernel/random/boot_id})} */
    public static UUID currentBoot() {
        UUID known = boot;
        if (known == null) {
            known = UUID.fromString(KernelFile.text(null, "/proc/sys/kernel/random/boot_id"));
            boot = known;
        }
        return known;
    }

    /**
     * Returns the same name without the boot id: {@code PID:ID}, as the tools of util-linux accept
     * it.
     *
     * @return the name
     */
    public ProcessId inThisBoot() {
        return new ProcessId(pid, pidfdId, Optional.empty());
    }

    /**
     * Parses the text that {@link #toString} returned: {@code PID:ID:BOOT}, {@code PID:ID} or
     * {@code PID}.
     *
     * @param text the text
     * @return the name
     * @throws IllegalArgumentException if the text has none of these forms
     */
    public static ProcessId parse(String text) {
        String[] parts = text.split(":", -1);
        try {
            int pid = Integer.parseInt(parts[0]);
            return switch (parts.length) {
                case 1 -> new ProcessId(pid, OptionalLong.empty(), Optional.empty());
                case 2 ->
                        new ProcessId(
                                pid,
                                OptionalLong.of(Long.parseUnsignedLong(parts[1])),
                                Optional.empty());
                case 3 ->
                        new ProcessId(
                                pid,
                                OptionalLong.of(Long.parseUnsignedLong(parts[1])),
                                Optional.of(UUID.fromString(parts[2])));
                default -> throw new IllegalArgumentException();
            };
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(
                    "not PID, PID:ID or PID:ID:BOOT: \"" + text + "\"", e);
        }
    }

    /**
     * {@return {@code PID:ID:BOOT}, {@code PID:ID} without a boot id, or {@code PID} where the
     * kernel has no pidfs}
     */
    @Override
    public String toString() {
        if (pidfdId.isEmpty()) {
            return Integer.toString(pid);
        }
        String named = pid + ":" + Long.toUnsignedString(pidfdId.getAsLong());
        return bootId.map(id -> named + ":" + id).orElse(named);
    }
}
