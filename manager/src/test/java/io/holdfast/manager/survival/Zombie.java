package io.holdfast.manager.survival;

import io.holdfast.core.process.PidFd;
import io.holdfast.core.testkit.Await;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;

/**
 * A process that has exited, and whose parent does not reap it: like a manager that its keeper
 * leaves to the next one.
 */
public final class Zombie implements AutoCloseable {
    private final Process parent;
    private final PidFd process;

    private Zombie(Process parent, PidFd process) {
        this.parent = parent;
        this.process = process;
    }

    /**
     * @param ends the shell command by which it ends
     */
    public static Zombie of(String ends) throws IOException {
        String once = "until grep -q sleep /proc/$$/comm; do :; done; "; // a shell may reap it
        Process parent =
                new ProcessBuilder("sh", "-c", "(" + once + ends + ") & echo $!; exec sleep 1000")
                        .start();
        try (BufferedReader out = parent.inputReader(StandardCharsets.US_ASCII)) {
            PidFd process = PidFd.open(Integer.parseInt(out.readLine()));
            Await.until(() -> process.state() == PidFd.State.EXITED);
            return new Zombie(parent, process);
        }
    }

    public PidFd process() {
        return process;
    }

    @Override
    public void close() {
        process.close();
        parent.destroyForcibly();
    }
}
