package io.holdfast.manager.exec;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;

/** The warnings of a run: one for each setting that could not be applied. Thread-safe. */
final class ExecWarnings {
    private final Consumer<String> receiver;
    private final Set<Object> given = ConcurrentHashMap.newKeySet();

    /**
     * @param receiver of one line for each; called by any thread
     */
    ExecWarnings(Consumer<String> receiver) {
        this.receiver = receiver;
    }

    /** Gives a warning, unless one of the same subject has been given. */
    void once(Object subject, String text) {
        if (given.add(subject)) {
            receiver.accept(text);
        }
    }
}
