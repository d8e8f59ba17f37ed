package io.holdfast.journal;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** systemd's own programs, which read what we write and write what we read. */
final class Journalctl {
    static final String PROGRAM = "journalctl";
    static final String REMOTE = "/usr/lib/systemd/systemd-journal-remote";

    /** A run of a program. */
    static final class Result {
        private final int status;
        private final byte[] output;
        private final String errors;

        Result(int status, byte[] output, String errors) {
            this.status = status;
            this.output = output;
            this.errors = errors;
        }

        int status() {
            return status;
        }

        byte[] output() {
            return output;
        }

        String errors() {
            return errors;
        }

        String text() {
            return new String(output, UTF_8);
        }
    }

    private Journalctl() {}

    private static Result run(List<String> command, Map<String, String> environment, Path input)
            throws IOException, InterruptedException {
        Path output = Files.createTempFile("journalctl", ".out");
        Path errors = Files.createTempFile("journalctl", ".err");
        try {
            ProcessBuilder builder =
                    new ProcessBuilder(command)
                            .redirectInput(input.toFile())
                            .redirectOutput(output.toFile())
                            .redirectError(errors.toFile());
            builder.environment().putAll(environment);
            Process process = builder.start();
            try {
                assertThat(process.waitFor(60, TimeUnit.SECONDS)).as("%s ends", command).isTrue();
            } finally {
                process.destroyForcibly().waitFor();
            }
            return new Result(
                    process.exitValue(), Files.readAllBytes(output), Files.readString(errors));
        } finally {
            Files.delete(output);
            Files.delete(errors);
        }
    }

    /** Runs journalctl. */
    static Result run(String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(PROGRAM, "--no-pager", "--all"));
        command.addAll(List.of(arguments));
        return run(command, Map.of("TZ", "UTC", "LC_ALL", "C.UTF-8"), Path.of("/dev/null"));
    }

    /** Runs journalctl on a file, which must succeed; returns what it printed. */
    static Result read(Path file, String... arguments) throws IOException, InterruptedException {
        List<String> all = new ArrayList<>(List.of("--file", file.toString()));
        all.addAll(List.of(arguments));
        Result result = run(all.toArray(String[]::new));
        assertThat(result.status()).as(result.errors()).isZero();
        return result;
    }

    /**
     * Makes a file with these entries by systemd-journal-remote, which writes files as journald
     * does.
     *
     * @param environment its format: {@code SYSTEMD_JOURNAL_COMPACT}, {@code
     *     SYSTEMD_JOURNAL_COMPRESS}, {@code SYSTEMD_JOURNAL_KEYED_HASH}
     */
    static void write(Path file, List<Entry> entries, Map<String, String> environment)
            throws IOException, InterruptedException {
        Path input = Files.createTempFile("journal", ".export");
        try {
            Files.write(input, export(entries));
            Result result = run(List.of(REMOTE, "-o", file.toString(), "-"), environment, input);
            assertThat(result.status()).as(result.errors()).isZero();
        } finally {
            Files.delete(input);
        }
    }

    /** Returns entries in the export format. */
    static byte[] export(List<Entry> entries) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ExportWriter writer = new ExportWriter(bytes)) {
            for (Entry entry : entries) {
                writer.write(entry);
            }
        }
        return bytes.toByteArray();
    }
}
