package io.holdfast.core.testkit;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A plain user who takes the locks of files and folders, and keeps them until this is closed: as
 * far as he can open them, flock(2) and a read lock of fcntl(2), for which reading is enough. A
 * test that uses it needs root, setpriv(1) and Python.
 */
public final class LockHog implements AutoCloseable {
    private static final String PROGRAM =
            """
            import fcntl, os, stat, sys
            for path in sys.argv[1:]:
                try:
                    fd = os.open(path, os.O_RDONLY)
                    fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    if stat.S_ISREG(os.fstat(fd).st_mode):
                        fcntl.lockf(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
                    print(path)
                except OSError as e:
                    print("refused " + path + ": " + str(e))
            print("done", flush=True)
            sys.stdin.read()
            """;

    private final Process process;
    private final List<String> taken = new ArrayList<>();

    private LockHog(Process process) throws IOException {
        this.process = process;
        BufferedReader out = process.inputReader();
        for (String line = out.readLine(); !"done".equals(line); line = out.readLine()) {
            if (line == null) {
                throw new IllegalStateException("the locks could not be tried");
            }
            if (!line.startsWith("refused ")) {
                taken.add(line);
            }
        }
    }

    /** Takes what can be had. */
    public static LockHog of(Path... paths) throws IOException {
        List<String> command =
                new ArrayList<>(
                        List.of(
                                "setpriv",
                                "--reuid=65534",
                                "--regid=65534",
                                "--clear-groups",
                                "/usr/bin/python3",
                                "-c",
                                PROGRAM));
        for (Path path : paths) {
            command.add(path.toString());
        }
        return new LockHog(
                new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start());
    }

    /** The paths whose locks he has. */
    public List<String> taken() {
        return List.copyOf(taken);
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
