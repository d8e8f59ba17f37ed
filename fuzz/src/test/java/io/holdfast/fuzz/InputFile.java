package io.holdfast.fuzz;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A file for parsers that only read files: it holds the current input, and is deleted when the JVM
 * exits.
 */
public final class InputFile {
    private final Path path;

    private InputFile(Path path) {
        this.path = path;
    }

    /** Makes a file with a name in a new folder. */
    public static InputFile named(String name) {
        try {
            Path folder = Files.createTempDirectory("holdfast-fuzz");
            Path file = folder.resolve(name);
            folder.toFile().deleteOnExit();
            file.toFile().deleteOnExit(); // deleted first: the order is that of a stack
            return new InputFile(folder.toRealPath().resolve(name));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Writes these bytes to the file, and returns its path. */
    public Path holding(byte[] bytes) throws IOException {
        return Files.write(path, bytes);
    }
}
