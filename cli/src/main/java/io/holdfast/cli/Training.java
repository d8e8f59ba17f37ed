package io.holdfast.cli;

import io.holdfast.cli.output.Output;
import java.io.OutputStream;
import java.io.PrintStream;
import java.util.List;

/** Runs the usual commands once: scripts/build records an AOT cache from this run. */
final class Training {
    private static final String SELF = Long.toString(ProcessHandle.current().pid());
    private static final List<List<String>> LINES =
            List.of(
                    List.of("--version"),
                    List.of("--help"),
                    List.of("completion", "bash"),
                    List.of("complete", "--", "sta"),
                    List.of("complete", "--", "status", "a"),
                    List.of("complete", "--", "check", "a"),
                    List.of("completion", "--help"),
                    List.of("completion", "--unknown"),
                    List.of("info", SELF),
                    List.of("info", "--json", SELF),
                    List.of("info", "0"),
                    List.of("info", "1"),
                    List.of("info", "--json", "1"),
                    List.of("who", "1"),
                    List.of("who", SELF),
                    List.of("signal", SELF, "0"),
                    List.of("doctor"),
                    List.of("doctor", "--json"),
                    List.of("run", "--", "true"),
                    List.of("check", "--help"),
                    List.of("agent-helper", "--help"));

    private static final String COMMANDS = "holdfast";

    private Training() {}

    /**
     * Runs the training.
     *
     * @param arguments {@code holdfast} for the short commands, or the name of a daemon's command
     */
    public static void main(String[] arguments) {
        Holdfast.bindEarly();
        String what = arguments.length == 0 ? COMMANDS : arguments[0];
        if (what.equals(COMMANDS)) {
            walkCommands();
        } else {
            walkDaemon(what);
        }
        Output.standard().line("trained");
    }

    private static void walkCommands() {
        PrintStream nowhere = new PrintStream(OutputStream.nullOutputStream());
        for (boolean colours : new boolean[] {false, true}) {
            Output output = new Output(nowhere, nowhere, colours, false);
            LINES.forEach(line -> Holdfast.run(line, output));
        }
    }

    private static void walkDaemon(String daemon) {
        Output output = Output.standard();
        int ignored = Holdfast.run(List.of(daemon, "--help"), output);
        try {
            output.queueLines();
            DaemonTraining.walk(daemon, output);
        } catch (Exception e) {
            // The cache covers the paths up to here. The daemon then starts more slowly, but works.
            output.complain("training run is incomplete: " + e);
        }
        output.flush();
    }
}
