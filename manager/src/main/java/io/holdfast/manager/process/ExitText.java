package io.holdfast.manager.process;

import io.holdfast.core.process.Exit;
import io.holdfast.manager.unit.value.ExitStatusSet;

/** Describes for people how a command of a unit ended. */
public final class ExitText {
    /** The status with which the JVM exits because of {@code -XX:+ExitOnOutOfMemoryError}. */
    private static final int OUT_OF_MEMORY = 3;

    private ExitText() {}

    /** Returns the same for a manager, which is a JVM: {@code ran out of memory (status 3)}. */
    public static String ofManager(Exit exit) {
        return switch (exit) {
            case Exit.Exited(int status) when status == OUT_OF_MEMORY ->
                    "ran out of memory (status " + OUT_OF_MEMORY + ")";
            case Exit.Exited _, Exit.Unknown _ -> exit.toString();
            case Exit.Killed _ -> "was " + exit;
        };
    }

    /** Returns {@code exited with status 217/USER}: a status with its name, where it has one. */
    public static String of(Exit exit) {
        return exit instanceof Exit.Exited(int status) && status != 0
                ? exit + ExitStatusSet.nameOf(status).map(name -> "/" + name).orElse("")
                : exit.toString();
    }
}
