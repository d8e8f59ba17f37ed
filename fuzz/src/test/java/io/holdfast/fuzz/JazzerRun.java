package io.holdfast.fuzz;

import com.code_intelligence.jazzer.Jazzer;
import io.holdfast.core.testkit.ChildJvm;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Runs Jazzer on a target in a separate JVM, until the time is over or Jazzer has a finding.
 *
 * @param output what Jazzer wrote
 * @param finding the input that broke a promise
 */
record JazzerRun(String output, Optional<byte[]> finding) {
    /** A heap, with the default stack size, that no input of a few KiB may exhaust. */
    private static final List<String> HEAP = List.of("-Xmx384m");

    /** Seconds that one input may take on a busy machine. */
    private static final int INPUT_SECONDS = 60;

    /** Configurations include files by design, which this detector reports as a fault. */
    private static final String NOT_FOR_US =
            "com.code_intelligence.jazzer.sanitizers.FilePathTraversal";

    private static final String OURS = "io.holdfast.**";

    /** Libraries that we parse with. Instrumenting them takes long. */
    private static final String LIBRARIES = ":org.mozilla.javascript.**:tools.jackson.core.**";

    /**
     * Fuzzes a target.
     *
     * @param thorough whether coverage of the libraries guides Jazzer too, and inputs may be longer
     * @param corpora folders of inputs to begin with; new ones go to the first
     * @param folder a folder for the files of Jazzer, created here
     */
    static JazzerRun of(
            Class<?> target, boolean thorough, List<Path> corpora, Path folder, Duration time)
            throws IOException {
        Path findings = Files.createDirectories(folder);
        List<String> arguments = new ArrayList<>();
        arguments.add("--target_class=" + target.getName());
        arguments.add("--instrumentation_includes=" + OURS + (thorough ? LIBRARIES : ""));
        arguments.add("--instrumentation_excludes=io.holdfast.fuzz.**:io.holdfast.core.testkit.**");
        arguments.add("--disabled_hooks=" + NOT_FOR_US);
        arguments.add("--reproducer_path=" + findings);
        arguments.add("-artifact_prefix=" + findings + "/");
        arguments.add("-dict=" + Target.CORPUS.resolve("dictionary"));
        arguments.add("-timeout=" + INPUT_SECONDS);
        arguments.add("-rss_limit_mb=0"); // the heap is the limit
        arguments.add("-max_len=" + (thorough ? 1 << 14 : 1 << 12));
        arguments.add("-max_total_time=" + time.toSeconds());
        corpora.forEach(corpus -> arguments.add(corpus.toString()));
        List<String> options = new ArrayList<>(HEAP);
        Path temporary = Files.createDirectory(folder.resolve("tmp")); // Jazzer leaves files there
        options.add("-Djava.io.tmpdir=" + temporary);
        ChildJvm.Result result =
                ChildJvm.run(options, Jazzer.class, arguments.toArray(String[]::new));
        Optional<byte[]> finding = finding(findings);
        if (finding.isEmpty() && result.status() != 0) {
            throw new IllegalStateException("Jazzer could not run:\n" + result.output());
        }
        return new JazzerRun(result.output(), finding);
    }

    private static Optional<byte[]> finding(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            Optional<Path> first =
                    files.filter(file -> isFinding(String.valueOf(file.getFileName()))).findFirst();
            return first.isPresent()
                    ? Optional.of(Files.readAllBytes(first.get()))
                    : Optional.empty();
        }
    }

    private static boolean isFinding(String name) {
        return name.startsWith("crash-") || name.startsWith("timeout-") || name.startsWith("oom-");
    }

    /** Returns what Jazzer wrote about the finding. */
    String failure() {
        int start = output.indexOf("\n== ");
        return start < 0 ? output : output.substring(start + 1);
    }
}
