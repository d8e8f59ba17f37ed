package io.holdfast.fuzz;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A file for parsers that only read files: holds the input of the moment, and ends with the JVM.
 */
public final class InputFile {
    private final Path path;

    private InputFile(Path path) {
        this.path = path;
    }

    /** A file of this name in a folder of its own. */
    public static InputFile named(String name) {
        try {
            Path folder = Files.createTempDirectory("holdfast-fuzz");
            Path file = folder.resolve(name);
            folder.toFile().deleteOnExit();
            file.toFile().deleteOnExit(); // goes first: the order is that of a stack
            return new InputFile(folder.toRealPath().resolve(name));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The file, with these bytes in it and nothing else. */
    public Path holding(byte[] bytes) throws IOException {
        return Files.write(path, bytes);
    }
}
