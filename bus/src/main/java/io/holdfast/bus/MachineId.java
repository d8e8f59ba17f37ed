package io.holdfast.bus;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The id of this machine: machine-id(5), or what D-Bus had before there was one. */
final class MachineId {
    static final List<Path> FILES =
            List.of(Path.of("/var/lib/dbus/machine-id"), Path.of("/etc/machine-id"));

    private static final int DIGITS = 32;

    private MachineId() {}

    /** 32 hexadecimal digits, or null if no file has them. */
    static @Nullable String read() {
        for (Path file : FILES) {
            try {
                String id = Files.readString(file).strip();
                if (id.length() == DIGITS
                        && id.chars().allMatch(c -> Character.digit(c, 16) >= 0)) {
                    return id;
                }
            } catch (IOException e) {
                // the next may have it
            }
        }
        return null;
    }
}
