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
 * file with a number, of which each step of the kind takes one away; the process that takes the
 * last is killed.
 */
enum FaultPoint {
    /** Steps of descriptors and of states. */
    STATE("io.holdfast.manager.fault"),

    /** Steps of what units write. */
    OUTPUT("io.holdfast.manager.outputFault");

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
