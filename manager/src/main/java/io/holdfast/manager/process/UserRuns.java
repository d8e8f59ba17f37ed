package io.holdfast.manager.process;

import java.util.HashMap;
import java.util.Map;
import java.util.OptionalLong;

/**
 * The runs of a manager by their user. The IPC objects of a user are removed when the last of its
 * runs ends, if one of them had {@code RemoveIPC=}. Safe for use by several threads.
 */
public final class UserRuns {
    private static final class Uses {
        int count;
        boolean removesIpc;
    }

    private final Map<Long, Uses> users = new HashMap<>();

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
        synchronized (users) {
            Uses uses = users.computeIfAbsent(uid.getAsLong(), _ -> new Uses());
            uses.count++;
            uses.removesIpc |= removesIpc;
        }
        return () -> end(uid.getAsLong());
    }

    private void end(long uid) {
        boolean removes;
        synchronized (users) {
            Uses uses = users.get(uid);
            removes = uses != null && --uses.count == 0 && uses.removesIpc;
            if (uses != null && uses.count == 0) {
                users.remove(uid);
            }
        }
        if (removes) {
            IpcObjects.removeAll(uid);
        }
    }
}
