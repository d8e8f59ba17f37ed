package io.holdfast.manager.loop;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;

/** Work that is done one after the other, by at most one thread: see {@link Workers}. */
public final class Lane {
    final Workers workers;
    final String name;
    final boolean isNamed;

    // guarded by the workers
    final Deque<Work<?>> waiting = new ArrayDeque<>();
    @Nullable Work<?> current;
    boolean isReady;

    /**
     * @param name for messages
     * @param isNamed whether others may get this lane by its name
     */
    Lane(Workers workers, String name, boolean isNamed) {
        this.workers = workers;
        this.name = name;
        this.isNamed = isNamed;
    }

    /**
     * Describes something to do; {@link Work#begin} has it done.
     *
     * @param what for messages: {@code the check of its conditions}
     */
    public <T> Work<T> work(String what, Callable<T> call) {
        return new Work<>(this, what, call);
    }
}
