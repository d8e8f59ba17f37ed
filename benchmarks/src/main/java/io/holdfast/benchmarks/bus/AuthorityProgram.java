package io.holdfast.benchmarks.bus;

import io.holdfast.benchmarks.frame.Launcher;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** A program that runs an authority on the system bus, with the standard folders. */
record AuthorityProgram(String name, List<String> command) {
    private static final Path POLKITD = Path.of("/usr/lib/polkit-1/polkitd");

    /** Returns our authority; empty if these sources have no such command. */
    static Optional<AuthorityProgram> ours() throws IOException, InterruptedException {
        return Launcher.open()
                .map(launcher ->
                        new AuthorityProgram("Holdfast", List.of(launcher.script(), "authority")));
    }

    /** Returns the real polkitd; empty if it is not installed. */
    static Optional<AuthorityProgram> polkitd() {
        return Files.isExecutable(POLKITD)
                ? Optional.of(
                        new AuthorityProgram("polkitd", List.of(POLKITD.toString(), "--no-debug")))
                : Optional.empty();
    }
}
