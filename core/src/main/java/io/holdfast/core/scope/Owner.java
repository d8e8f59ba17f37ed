package io.holdfast.core.scope;

import io.holdfast.core.Feature;
import io.holdfast.core.process.Namespace;
import io.holdfast.core.process.PidFd;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The identity of the JVM that opened a scope, as it is written into the name of the scope's cgroup
 * and into the environment of its processes: {@code PID.PIDFSID.NAMESPACE}.
 *
 * @param pid the PID, in the PID namespace of the JVM
 * @param id the pidfs id; 0 where the kernel has none (before Linux 6.9)
 * @param namespace the inode number of that PID namespace; 0 if {@code /proc} does not show it
 */
record Owner(int pid, long id, long namespace) {
    /** The text of an owner, for patterns of names that contain it. */
    static final String PATTERN = "[0-9]{1,10}\\.[0-9]{1,20}\\.[0-9]{1,20}";

    private static final Pattern PARTS = Pattern.compile("([0-9]+)\\.([0-9]+)\\.([0-9]+)");

    private static volatile @Nullable Owner self; // null until it was read

    /** Returns the identity of this JVM. */
    static Owner self() {
        Owner known = self;
        if (known == null) {
            try (PidFd process = PidFd.self()) {
                long id = Feature.PIDFS.isPresent() ? process.id() : 0;
                known = new Owner(process.pid(), id, namespaceOf(process));
            }
            self = known;
        }
        return known;
    }

    private static long namespaceOf(PidFd process) {
        try (Namespace namespace = process.namespace(Namespace.Kind.PID)) {
            return namespace.inode();
        } catch (RuntimeException e) {
            if (ProcessScope.isShortage(e)) {
                throw e;
            }
            return 0;
        }
    }

    /** Parses the text that {@link #toString} returned. */
    static Optional<Owner> parse(String text) {
        Matcher parts = PARTS.matcher(text);
        try {
            return parts.matches()
                    ? Optional.of(
                            new Owner(
                                    Integer.parseInt(parts.group(1)),
                                    Long.parseUnsignedLong(parts.group(2)),
                                    Long.parseLong(parts.group(3))))
                    : Optional.empty();
        } catch (NumberFormatException e) {
            return Optional.empty();
        }
    }

    /**
     * Returns whether the JVM is certainly dead: no process has its PID, or one that is not it, or
     * one that has exited. A PID says nothing in another PID namespace, and before Linux 6.9 a
     * living process that has the PID may be the JVM; then the result is false.
     */
    boolean isDead() {
        if (pid == 0 || namespace == 0 || namespace != self().namespace) {
            return false;
        }
        try (PidFd process = PidFd.find(pid).orElse(null)) {
            return process == null
                    || !process.isAlive()
                    || (id != 0 && Feature.PIDFS.isPresent() && process.id() != id);
        }
    }

    /**
     * Returns an owner of which nobody can prove that it is dead, so that its scope is left alone.
     */
    Owner neverDead() {
        return new Owner(pid, 0, 0);
    }

    @Override
    public String toString() {
        return pid + "." + Long.toUnsignedString(id) + "." + namespace;
    }
}
