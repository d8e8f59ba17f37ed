package io.holdfast.benchmarks.frame;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** The command {@code ./holdfast}, built and installed in its layout. */
public record Launcher(String script, String java, List<String> flags) {
    /** Builds the command if necessary; empty if these sources have no such command yet. */
    public static Optional<Launcher> open() throws IOException, InterruptedException {
        Path script = SourceTree.ROOT.resolve("holdfast");
        if (!Files.isExecutable(script)) {
            return Optional.empty();
        }
        run(List.of(script.toString(), "--version")); // builds
        String launch = ". .holdfast/launch; echo \"$java_home\"; echo \"$cli_flags\"";
        List<String> lines = run(List.of("sh", "-c", launch)).lines().toList();
        return Optional.of(
                new Launcher(
                        script.toString(),
                        lines.getFirst() + "/bin/java",
                        List.of(lines.getLast().strip().split("\\s+"))));
    }

    /** Runs a command in the root folder to its end, and returns its output. */
    public static String run(List<String> command) throws IOException, InterruptedException {
        Process process =
                new ProcessBuilder(command)
                        .directory(SourceTree.ROOT.toFile())
                        .redirectError(ProcessBuilder.Redirect.INHERIT)
                        .start();
        process.getOutputStream().close();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (process.waitFor() != 0) {
            throw new IOException(command + " exited with " + process.exitValue());
        }
        return said;
    }

    /** Returns a line of {@code /proc/PID/status}, in KiB. */
    public static long status(long pid, String field) {
        try (var lines = Files.lines(Path.of("/proc/" + pid + "/status"))) {
            return lines.filter(line -> line.startsWith(field + ":"))
                    .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
                    .findFirst()
                    .orElse(0);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
