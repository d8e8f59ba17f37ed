package io.holdfast.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** The result of the command in another process: its exit code and its output. */
public record Program(int code, String out, String err) {
    private static final long LIMIT_SECONDS = 60;

    /** Returns the words that start the command: java, this class path, its main class. */
    public static List<String> command(List<String> vmOptions, String... arguments) {
        List<String> words = new ArrayList<>();
        words.add(ProcessHandle.current().info().command().orElseThrow());
        words.addAll(
                List.of("-Xint", "-XX:+UseSerialGC", "--enable-native-access=ALL-UNNAMED", "-cp"));
        words.add(System.getProperty("java.class.path"));
        words.addAll(vmOptions);
        words.add(Holdfast.class.getName());
        words.addAll(List.of(arguments));
        return words;
    }

    public static Process start(String... arguments) throws IOException {
        return new ProcessBuilder(command(List.of(), arguments)).start();
    }

    public static Program run(String... arguments) throws Exception {
        return end(start(arguments));
    }

    public static Program run(ProcessBuilder builder) throws Exception {
        return end(builder.start());
    }

    /** Waits for the process, and reads its output. */
    public static Program end(Process process) throws Exception {
        CompletableFuture<byte[]> err =
                CompletableFuture.supplyAsync(() -> {
                    try {
                        return process.getErrorStream().readAllBytes();
                    } catch (IOException e) {
                        throw new IllegalStateException(e);
                    }
                });
        process.getOutputStream().close();
        byte[] out = process.getInputStream().readAllBytes();
        try {
            assertThat(process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS)).isTrue();
            return new Program(
                    process.exitValue(),
                    new String(out, StandardCharsets.UTF_8),
                    new String(err.get(), StandardCharsets.UTF_8));
        } finally {
            process.destroyForcibly();
        }
    }
}
