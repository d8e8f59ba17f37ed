package io.holdfast.interop.manager;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * The machine's systemd as PID 1 of a container, which ends with this object or with our process.
 * It runs one case at a time; each finds the container as it was booted.
 */
final class SystemdContainer implements AutoCloseable {
    private static final long TIMEOUT = 60; // seconds
    private static final String SCRIPT_TIMEOUT = "50"; // its programs end with it, and the output

    private final CaseFolder folder;
    private final Process container;
    private final String init;

    private SystemdContainer(CaseFolder folder, Process container, String init) {
        this.folder = folder;
        this.container = container;
        this.init = init;
    }

    /**
     * Boots a container with files in an empty folder.
     *
     * @param shared folders that are visible inside, read-only
     */
    static SystemdContainer boot(Path path, Path... shared) throws IOException {
        CaseFolder folder = new CaseFolder(path.resolve("case"), "/case");
        folder.writeBase();
        Path _ =
                Files.write(path.resolve("shared"), Stream.of(shared).map(Path::toString).toList());
        Path script =
                Files.writeString(path.resolve("container.sh"), CaseFiles.resource("container.sh"));
        Process container =
                new ProcessBuilder("sh", script.toString(), path.toString())
                        .redirectErrorStream(true)
                        .start();
        BufferedReader output =
                new BufferedReader(new InputStreamReader(container.getInputStream(), UTF_8));
        StringBuilder written = new StringBuilder();
        for (String line = output.readLine(); line != null; line = output.readLine()) {
            if (line.startsWith("booted ")) {
                return new SystemdContainer(folder, container, line.substring(7).strip());
            }
            written.append(line).append('\n');
        }
        throw new IOException("the container does not boot:\n" + written);
    }

    String transcript(UnitCase one) throws Exception {
        folder.write(one, CaseFolder.POLLS);
        try {
            String _ = Shell.run(inside("systemctl", "daemon-reload"));
            return folder.contracted(
                    Shell.run(
                            inside("timeout", SCRIPT_TIMEOUT, "sh", "/case/" + CaseFolder.SCRIPT)));
        } finally {
            reset();
        }
    }

    private void reset() throws Exception {
        Path _ =
                Files.writeString(
                        folder.path().resolve("reset.sh"), CaseFiles.resource("reset.sh"));
        String left = Shell.run(inside("sh", "/case/reset.sh"));
        try (Stream<Path> files = Files.list(folder.path())) {
            for (Path file : (Iterable<Path>) files::iterator) {
                if (!Files.isDirectory(file)) {
                    Files.delete(file);
                }
            }
        }
        if (!left.isEmpty()) {
            throw new AssertionError("left by the case: " + left);
        }
    }

    /** Returns the folder of units, as seen from outside. */
    Path units() {
        return folder.units();
    }

    /** Runs a command inside, and returns its output. */
    String run(String... command) throws IOException, InterruptedException {
        return Shell.run(inside(command)).strip();
    }

    private List<String> inside(String... command) {
        return Stream.concat(
                        Stream.of(
                                "nsenter",
                                "--target=" + init,
                                "--mount",
                                "--pid",
                                "--cgroup",
                                "--uts",
                                "--ipc",
                                "--net"),
                        Stream.of(command))
                .toList();
    }

    @Override
    public void close() throws IOException {
        container.getOutputStream().close();
        try {
            if (!container.waitFor(TIMEOUT, TimeUnit.SECONDS)) {
                throw new AssertionError("the container does not end");
            }
        } catch (InterruptedException e) {
            throw new AssertionError("interrupted before the container has ended", e);
        } finally {
            Process _ = container.destroyForcibly();
        }
    }
}
