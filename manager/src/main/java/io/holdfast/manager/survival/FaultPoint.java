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
 * Where a test has this process killed: before a step of what is to outlive it. A property names a
 * file with a number, of which each step takes one away; the process that takes the last is killed.
 */
final class FaultPoint {
    private static final @Nullable String FILE = System.getProperty("io.holdfast.manager.fault");

    private FaultPoint() {}

    static void pass() {
        if (FILE != null) {
            pass(Path.of(FILE));
        }
    }

    private static void pass(Path file) {
        try {
            int left = Files.exists(file) ? Integer.parseInt(Files.readString(file, UTF_8)) : 0;
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
