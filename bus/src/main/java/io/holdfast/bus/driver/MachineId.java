package io.holdfast.bus.driver;

import io.holdfast.core.file.FileException;
import io.holdfast.core.file.OpenHow;
import io.holdfast.core.file.OpenedFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The id of this machine, of the files that D-Bus and machine-id(5) define. */
public final class MachineId {
    static final List<Path> FILES =
            List.of(Path.of("/var/lib/dbus/machine-id"), Path.of("/etc/machine-id"));

    private static final int DIGITS = 32;

    private MachineId() {}

    private static String text(Path file) throws FileException {
        try (OpenedFile opened = OpenedFile.open(file, OpenHow.reading())) {
            return new String(opened.readFirst(DIGITS + 2), StandardCharsets.US_ASCII).strip();
        }
    }

    /** Returns 32 hexadecimal digits, or null if no file has them. Blocks. */
    public static @Nullable String read() {
        for (Path file : FILES) {
            try {
                String id = text(file);
                if (id.length() == DIGITS
                        && id.chars().allMatch(c -> Character.digit(c, 16) >= 0)) {
                    return id;
                }
            } catch (FileException e) {
                // the next file may have it
            }
        }
        return null;
    }
}
