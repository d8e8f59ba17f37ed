package io.holdfast.manager.unit;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;

/** Small files of the system that may be missing. */
final class SmallFile {
    private static final int MAX_SIZE = 1 << 20;

    private SmallFile() {}

    /** The text without outer blanks; empty if the file is missing or cannot be read. */
    static String read(Path file) {
        try (InputStream in = Files.newInputStream(file)) {
            return new String(in.readNBytes(MAX_SIZE), UTF_8).strip();
        } catch (IOException e) {
            return "";
        }
    }
}
