package io.holdfast.manager.process;

import java.util.OptionalLong;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;

/**
 * The runs of a manager by their user. The IPC objects of a user are removed when the last of its
 * runs ends, if one of them had {@code RemoveIPC=}. Safe for use by several threads.
 */
public final class UserRuns {
    private static final class Uses {
        int count;
        boolean removesIpc;
    }

    private final ConcurrentMap<Long, Uses> users = new ConcurrentHashMap<>();

    /** Creates a table without runs. */
    public UserRuns() {}

    /** One run; its close may remove IPC objects, and is blocking. */
    public interface Run extends AutoCloseable {
        /** A run whose user keeps its objects. */
        Run NONE = () -> {};

        @Override
        void close();
    }

    /**
     * Counts a run.
     *
     * @param uid its user; empty: ours, whose objects are never removed, like those of root
     */
    public Run begin(OptionalLong uid, boolean removesIpc) {
        if (uid.isEmpty() || uid.getAsLong() == 0) {
            return Run.NONE;
        }
        users.compute(
                uid.getAsLong(),
                (_, before) -> {
                    Uses uses = before == null ? new Uses() : before;
                    uses.count++;
                    uses.removesIpc |= removesIpc;
                    return uses;
                });
        return () -> end(uid.getAsLong());
    }

    private void end(long uid) {
        users.computeIfPresent(
                uid,
                (_, uses) -> {
                    if (--uses.count > 0) {
                        return uses;
                    }
                    if (uses.removesIpc) { // a run of this user that begins now waits for that
                        IpcObjects.removeAll(uid);
                    }
                    return null;
                });
    }
}
