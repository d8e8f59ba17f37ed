package io.holdfast.cli;

import java.io.OutputStream;
import java.io.PrintStream;
import java.util.List;

/** Walks the usual paths once: scripts/build records the AOT cache of the command from this run. */
final class Training {
    private static final String SELF = Long.toString(ProcessHandle.current().pid());
    private static final List<List<String>> LINES =
            List.of(
                    List.of("--version"),
                    List.of("--help"),
                    List.of("completion", "bash"),
                    List.of("completion", "--help"),
                    List.of("completion", "--unknown"),
                    List.of("info", SELF),
                    List.of("info", "--json", SELF),
                    List.of("info", "0"),
                    List.of("info", "1"),
                    List.of("info", "--json", "1"),
                    List.of("who", "1"),
                    List.of("who", SELF),
                    List.of("who", "--json", SELF),
                    List.of("signal", SELF, "0"),
                    List.of("doctor"),
                    List.of("doctor", "--json"),
                    List.of("run", "--", "true"),
                    List.of("rules", "lint"),
                    List.of("check", "--help"),
                    List.of("up", "--help"),
                    List.of("bus", "--help"),
                    List.of("authority", "--help"),
                    List.of("agent-helper", "--help"));

    private Training() {}

    public static void main(String[] arguments) {
        Holdfast.bindEarly();
        PrintStream nowhere = new PrintStream(OutputStream.nullOutputStream());
        for (boolean colours : new boolean[] {false, true}) {
            Output output = new Output(nowhere, nowhere, colours, false);
            LINES.forEach(line -> Holdfast.run(line, output));
        }
        try {
            DaemonTraining.walk();
        } catch (Exception e) {
            // what it has come to is trained; daemons start slower, and do not fail
            Output.standard().complain("not all of the daemons' paths could be walked: " + e);
        }
        Output.standard().line("trained");
    }
}
