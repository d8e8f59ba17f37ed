package io.holdfast.core.scope;

import io.holdfast.core.process.PidFd;
import io.holdfast.core.testkit.Await;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Scripts whose processes try to get away, and the processes that they leave. */
final class Descendants {
    private Descendants() {}

    /** Forks twice, begins a session, ignores SIGHUP, and writes its number; the shell exits. */
    static String daemon(Path file) {
        return "(setsid nohup sh -c 'echo $$ > " + file + "; exec sleep 1000' >/dev/null 2>&1 &)";
    }

    /** The process whose number was written to a file. */
    static PidFd written(Path file) {
        Await.until(() -> !text(file).isEmpty());
        return PidFd.open(Integer.parseInt(text(file).strip()));
    }

    private static String text(Path file) {
        try {
            String text = Files.exists(file) ? Files.readString(file) : "";
            return text.endsWith("\n") ? text : "";
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
