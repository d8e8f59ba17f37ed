package io.holdfast.core.testkit;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A process of another user that does something to files until it is closed. A test that uses one
 * declares {@code @Needs(root = true, programs = {"gcc", "setpriv"})}.
 */
public final class HostileUser implements AutoCloseable {
    private final Process process;

    private HostileUser(Process process) {
        this.process = process;
    }

    /** Exchanges two names as fast as it can. */
    public static HostileUser exchanging(long uid, Path one, Path other) throws IOException {
        return run(uid, "exchange", one.toString(), other.toString());
    }

    /** Holds a write lease on a file, which must be its own, and does not give it back. */
    public static HostileUser leasing(long uid, Path file) throws IOException {
        return run(uid, "lease", file.toString());
    }

    /** Has a file locked, by flock(2) and by fcntl(2). */
    public static HostileUser locking(long uid, Path file) throws IOException {
        return run(uid, "lock", file.toString());
    }

    private static HostileUser run(long uid, String... arguments) throws IOException {
        List<String> command = new ArrayList<>();
        command.addAll(
                List.of("setpriv", "--reuid=" + uid, "--regid=" + uid, "--clear-groups", "--"));
        command.add(CProgram.of(HostileUser.class, "hostile.c").toString());
        command.addAll(List.of(arguments));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readNBytes(6), StandardCharsets.US_ASCII);
        if (!said.equals("ready\n")) {
            String rest =
                    new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            throw new IOException(said + rest);
        }
        return new HostileUser(process);
    }

    @Override
    public void close() throws IOException {
        process.getOutputStream().close();
        try {
            int _ = process.waitFor();
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
    }
}
