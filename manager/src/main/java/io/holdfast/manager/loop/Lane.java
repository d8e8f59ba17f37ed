package io.holdfast.manager.loop;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;

/** A queue whose work runs in order, on at most one thread at a time: see {@link Workers}. */
public final class Lane {
    final Workers workers;
    final String name;
    final boolean isNamed;

    /** Whose turn it is when this lane gets a thread. */
    final Object owner;

    // guarded by the workers
    final Deque<Work<?>> waiting = new ArrayDeque<>(0); // small: thousands of units have lanes
    @Nullable Work<?> current;
    boolean isReady;

    /**
     * @param name for messages
     * @param isNamed whether {@link Workers#lane} returns this lane for its name
     */
    Lane(Workers workers, String name, boolean isNamed, Object owner) {
        this.workers = workers;
        this.name = name;
        this.isNamed = isNamed;
        this.owner = owner;
    }

    /**
     * Describes a task; {@link Work#begin} queues it.
     *
     * @param what for messages: {@code the check of its conditions}
     */
    public <T> Work<T> work(String what, Callable<T> call) {
        return new Work<>(this, what, call);
    }
}
