package io.holdfast.core.process;

import io.holdfast.core.sys.KernelFile;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A storable name of a process: what can be written down and restored to a {@link PidFd} as long as
 * the process lives ({@link PidFd#restore}). The number alone names nothing.
 *
 * @param pid the number, in the PID namespace of who wrote the name; it must be that of the process
 *     with the id, or the name is refused
 * @param pidfdId the pidfs inode number, unique in a boot (Linux 6.9)
 * @param bootId the boot in which that holds
 */
public record ProcessId(int pid, OptionalLong pidfdId, Optional<UUID> bootId) {

    private static volatile @Nullable UUID boot; // once it was read

    /**
     * Checks the number.
     *
     * @throws IllegalArgumentException if the number is negative
     */
    public ProcessId {
        if (pid < 0) {
            throw new IllegalArgumentException("no process number: " + pid);
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
     * Reads what {@link #toString} wrote.
     *
     * @param text the text
     * @return the name
     * @throws IllegalArgumentException if it is not of that form
     */
    public static ProcessId parse(String text) {
        String[] parts = text.split(":", -1);
        try {
            int pid = Integer.parseInt(parts[0]);
            return switch (parts.length) {
                case 1 -> new ProcessId(pid, OptionalLong.empty(), Optional.empty());
                case 3 ->
                        new ProcessId(
                                pid,
                                OptionalLong.of(Long.parseUnsignedLong(parts[1])),
                                Optional.of(UUID.fromString(parts[2])));
                default -> throw new IllegalArgumentException();
            };
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("not PID or PID:ID:BOOT: \"" + text + "\"", e);
        }
    }

    /** {@code PID:ID:BOOT}, or {@code PID} where the kernel has no pidfs. */
    @Override
    public String toString() {
        return pidfdId.isPresent() && bootId.isPresent()
                ? pid + ":" + Long.toUnsignedString(pidfdId.getAsLong()) + ":" + bootId.get()
                : Integer.toString(pid);
    }
}
