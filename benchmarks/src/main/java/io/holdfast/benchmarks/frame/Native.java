package io.holdfast.benchmarks.frame;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** The programs in C, compiled by gcc into {@code target/} on first use. */
public enum Native {
    /** The limit that Holdfast is measured against. */
    REFERENCE("reference", "-O2", "-Wall", "-pthread"),
    /** A child that only waits to be killed, as small as possible. */
    PAUSE("pause", "-O2", "-static", "-s"),
    /** The load generator for message buses, which also starts the reference buses. */
    BUSLOAD("busload", "-O2", "-Wall", "-Wextra"),
    /** The load generator for receivers of log messages. */
    LOGLOAD("logload", "-O2", "-Wall", "-Wextra");

    private final String name;
    private final List<String> flags;
    private @Nullable Path built;

    Native(String name, String... flags) {
        this.name = name;
        this.flags = List.of(flags);
    }

    /** Compiles it, once, and returns the program. */
    public synchronized Path build() throws IOException, InterruptedException {
        if (built == null) {
            List<String> sources = sources();
            Path program = SourceTree.MODULE.resolve("target").resolve(name);
            List<String> command = new ArrayList<>(List.of("gcc"));
            command.addAll(flags);
            command.addAll(List.of("-o", program.toString()));
            command.addAll(sources);
            Process gcc = new ProcessBuilder(command).inheritIO().start();
            if (gcc.waitFor() != 0 || !Files.isExecutable(program)) {
                throw new IOException("gcc could not compile " + sources);
            }
            built = program;
        }
        return built;
    }

    /** Returns the one file of its name, or all files in a folder of its name. */
    private List<String> sources() throws IOException {
        Path folder = SourceTree.MODULE.resolve("src/main/c");
        if (!Files.isDirectory(folder.resolve(name))) {
            return List.of(folder.resolve(name + ".c").toString());
        }
        try (Stream<Path> files = Files.list(folder.resolve(name))) {
            return files.map(Path::toString).filter(file -> file.endsWith(".c")).sorted().toList();
        }
    }
}
