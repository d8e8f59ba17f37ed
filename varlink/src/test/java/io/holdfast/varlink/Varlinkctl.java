package io.holdfast.varlink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** systemd's own client, which checks what we print and reply. */
final class Varlinkctl {
    private static final Path PROGRAM = Path.of("/usr/bin/varlinkctl");

    record Result(int status, String output, String errors) {}

    private Varlinkctl() {}

    /** Skips the test with a reason where the program is absent. */
    static void assumePresent() {
        assumeThat(PROGRAM).as("varlinkctl, of Debian's package systemd").isExecutable();
    }

    static Result run(String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(PROGRAM.toString()));
        command.addAll(List.of(arguments));
        Path output = Files.createTempFile("varlinkctl", ".out");
        Path errors = Files.createTempFile("varlinkctl", ".err");
        try {
            Process process =
                    new ProcessBuilder(command)
                            .redirectInput(Path.of("/dev/null").toFile())
                            .redirectOutput(output.toFile())
                            .redirectError(errors.toFile())
                            .start();
            try {
                assertThat(process.waitFor(20, TimeUnit.SECONDS)).as("%s ends", command).isTrue();
            } finally {
                process.destroyForcibly().waitFor();
            }
            return new Result(
                    process.exitValue(), Files.readString(output), Files.readString(errors));
        } finally {
            Files.delete(output);
            Files.delete(errors);
        }
    }

    /** Runs a command that must succeed, and returns what it printed. */
    static String output(String... arguments) throws IOException, InterruptedException {
        Result result = run(arguments);
        assertThat(result.status()).as(result.errors()).isZero();
        return result.output();
    }
}
