package io.holdfast.manager.survival;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.holdfast.core.Signal;
import io.holdfast.core.process.PidFd;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * A point at which a test has this process killed: before each step that writes what has to outlive
 * it. A system property names a file with a number; each step of the kind decrements it, and the
 * process that decrements it to 0 is killed.
 */
enum FaultPoint {
    /** Steps that write descriptors and states. */
    STATE("io.holdfast.manager.fault");

    private final @Nullable String file;

    FaultPoint(String property) {
        file = System.getProperty(property);
    }

    void pass() {
        if (file != null) {
            pass(Path.of(file));
        }
    }

    private synchronized void pass(Path file) {
        try {
            String text = Files.exists(file) ? Files.readString(file, UTF_8) : "";
            int left = text.isEmpty() ? 0 : Integer.parseInt(text);
            if (left > 0) {
                Files.writeString(file, Integer.toString(left - 1), UTF_8);
            }
            if (left == 1) {
                try (PidFd self = PidFd.self()) {
                    boolean _ = self.signal(Signal.KILL);
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
