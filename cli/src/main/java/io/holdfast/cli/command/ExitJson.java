package io.holdfast.cli.command;

import io.holdfast.cli.output.JsonText;
import io.holdfast.core.process.Exit;

/** Represents the exit of a process for scripts. */
public final class ExitJson {
    private ExitJson() {}

    /**
     * Returns {@code {"status":3}}, {@code {"signal":"SIGKILL","number":9,"coreDumped":false}} or
     * {}.
     */
    public static JsonText json(Exit exit) {
        JsonText text = JsonText.object();
        return switch (exit) {
            case Exit.Exited(int status) -> text.put("status", status);
            case Exit.Killed(var signal, boolean dumped) ->
                    text.put("signal", signal.toString())
                            .put("number", signal.number())
                            .put("coreDumped", dumped);
            case Exit.Unknown _ -> text;
        };
    }

    /** Returns the exit code with which a command passes the exit on. */
    public static int code(Exit exit) {
        return exit instanceof Exit.Unknown ? ExitCode.HOLDFAST_FAILED : exit.shellStatus();
    }
}
