package io.holdfast.manager.seccomp;

import io.holdfast.core.process.Namespace.Kind;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/** The flags of clone(2) for kinds of namespaces ({@code linux/sched.h}). */
public final class CloneFlags {
    private static final Map<Kind, Long> FLAGS =
            Map.of(
                    Kind.CGROUP, 0x0200_0000L,
                    Kind.IPC, 0x0800_0000L,
                    Kind.NET, 0x4000_0000L,
                    Kind.MNT, 0x0002_0000L,
                    Kind.PID, 0x2000_0000L,
                    Kind.USER, 0x1000_0000L,
                    Kind.UTS, 0x0400_0000L);

    private CloneFlags() {}

    static long of(Kind kind) {
        return Objects.requireNonNull(FLAGS.get(kind));
    }

    /** {@return the sum of the flags of some kinds} */
    public static long of(Set<Kind> kinds) {
        return kinds.stream().mapToLong(CloneFlags::of).sum();
    }
}
