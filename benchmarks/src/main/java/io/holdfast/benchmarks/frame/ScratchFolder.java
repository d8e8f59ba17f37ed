package io.holdfast.benchmarks.frame;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Comparator;
import java.util.stream.Stream;

/** A temporary folder, removed at the end with its content. */
public record ScratchFolder(Path path) implements AutoCloseable {
    /** Makes a folder for unit files. */
    public static ScratchFolder forUnits() throws IOException {
        return new ScratchFolder(Files.createTempDirectory("holdfast-bench-units"));
    }

    /**
     * Makes a runtime folder for a manager, which all users can reach, in memory as on a machine
     * that has booted. It is not below {@code /tmp}, since services of the stack have a {@code
     * /tmp} of their own.
     */
    public static ScratchFolder forRuntime() throws IOException {
        Path top = Path.of("/run");
        if (!Files.getFileStore(top).type().equals("tmpfs")) {
            top = Path.of("/dev/shm");
        }
        Path folder = Files.createTempDirectory(top, "holdfast-bench");
        return new ScratchFolder(
                Files.setPosixFilePermissions(
                        folder, PosixFilePermissions.fromString("rwxr-xr-x")));
    }

    /** Makes a folder on the disk for some gigabytes of journal files. */
    public static ScratchFolder forLogs() throws IOException {
        return new ScratchFolder(Files.createTempDirectory(Path.of("/var/tmp"), "holdfast-bench"));
    }

    /** Writes a file, and replaces an existing one. */
    public void write(String name, String text) throws IOException {
        Files.writeString(path.resolve(name), text);
    }

    @Override
    public void close() throws IOException {
        try (Stream<Path> left = Files.walk(path)) {
            for (Path file : left.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }
}
