package io.holdfast.cli.command;

import io.holdfast.cli.output.JsonText;
import io.holdfast.core.process.Exit;

/** How a process ended, for a script. */
public final class ExitText {
    private ExitText() {}

    /** {@code {"status":3}}, {@code {"signal":"SIGKILL","number":9,"coreDumped":false}} or {}. */
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

    /** The exit code that passes it on. */
    public static int code(Exit exit) {
        return exit instanceof Exit.Unknown ? ExitCode.NOT_THE_PROCESS : exit.shellStatus();
    }
}
