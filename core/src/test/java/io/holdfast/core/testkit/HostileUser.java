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

    /** Exchanges pairs of names as fast as it can. */
    public static HostileUser exchanging(long uid, Path... pairs) throws IOException {
        return run(uid, "exchange", pairs);
    }

    /** Holds write leases on files, which must be its own, and does not give them back. */
    public static HostileUser leasing(long uid, Path... files) throws IOException {
        return run(uid, "lease", files);
    }

    /** Has files locked, by flock(2) and by fcntl(2). */
    public static HostileUser locking(long uid, Path... files) throws IOException {
        return run(uid, "lock", files);
    }

    private static HostileUser run(long uid, String what, Path... paths) throws IOException {
        List<String> command = new ArrayList<>();
        command.addAll(
                List.of("setpriv", "--reuid=" + uid, "--regid=" + uid, "--clear-groups", "--"));
        command.add(CProgram.of(HostileUser.class, "hostile.c").toString());
        command.add(what);
        for (Path path : paths) {
            command.add(path.toString());
        }
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
