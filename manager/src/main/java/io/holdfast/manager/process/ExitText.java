package io.holdfast.manager.process;

import io.holdfast.core.process.Exit;
import io.holdfast.manager.unit.value.ExitStatusSet;

/** Describes for people how a command of a unit ended. */
public final class ExitText {
    private ExitText() {}

    /** Returns {@code exited with status 217/USER}: a status with its name, where it has one. */
    public static String of(Exit exit) {
        return exit instanceof Exit.Exited(int status) && status != 0
                ? exit + ExitStatusSet.nameOf(status).map(name -> "/" + name).orElse("")
                : exit.toString();
    }
}
