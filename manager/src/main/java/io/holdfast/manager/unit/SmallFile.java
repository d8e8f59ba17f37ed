package io.holdfast.manager.unit;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.holdfast.core.file.FileException;
import io.holdfast.core.file.OpenHow;
import io.holdfast.core.file.OpenedFile;
import java.nio.file.Path;

/** Reads small system files that may be missing. */
public final class SmallFile {
    private static final int MAX_SIZE = 1 << 20;

    private SmallFile() {}

    /** Returns the text without outer blanks; empty if the file is missing or cannot be read. */
    public static String read(Path file) {
        try (OpenedFile opened = OpenedFile.open(file, OpenHow.reading())) {
            return new String(opened.readFirst(MAX_SIZE), UTF_8).strip();
        } catch (FileException e) {
            return "";
        }
    }
}
