package io.holdfast.cli.up;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.US_ASCII;

import io.holdfast.cli.command.CommandException;
import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.process.Exit;
import io.holdfast.core.run.Run;
import io.holdfast.core.run.RunFailedException;
import io.holdfast.core.run.RunResult;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.function.Consumer;

/**
 * Prepares a container before its first units start, as the early services of a booting system do:
 * folders that images and runtimes leave out, the machine id, and the users and files of packages
 * (sysusers.d(5), tmpfiles.d(5)), by systemd's own programs where they are installed. What cannot
 * be made is reported in one line and does not stop the rest. Blocking.
 */
final class ContainerSetup {
    private record Folder(String path, int mode) {}

    private static final int FOR_ALL = 01777; // who may remove only their own files

    private static final List<Folder> FOLDERS =
            List.of(
                    new Folder("run/lock", FOR_ALL),
                    new Folder("run/log", 0755),
                    new Folder("tmp", FOR_ALL),
                    new Folder("var/tmp", FOR_ALL));

    private static final String MACHINE_ID = "etc/machine-id";
    private static final String UNINITIALIZED = "uninitialized"; // in images, machine-id(5)

    private static final List<List<String>> PROGRAMS =
            List.of(
                    List.of("systemd-sysusers"),
                    List.of("systemd-tmpfiles", "--create", "--remove", "--exclude-prefix=/dev"));

    /** EX_DATAERR and EX_CANTCREAT: some lines had no effect, as in systemd's own units. */
    private static final Set<Integer> IN_PART = Set.of(65, 73);

    private static final Duration TIME = Duration.ofSeconds(30);

    private final Path root;
    private final Consumer<String> warnings;

    /**
     * @param root of the container
     * @param warnings receives one line for each part that cannot be made
     */
    ContainerSetup(Path root, Consumer<String> warnings) {
        this.root = root;
        this.warnings = warnings;
    }

    void run() throws InterruptedException {
        makeFiles();
        for (List<String> program : PROGRAMS) {
            run(program);
        }
    }

    /** Makes what needs no program. */
    void makeFiles() {
        FOLDERS.forEach(this::make);
        machineId();
    }

    private void make(Folder folder) {
        Path path = root.resolve(folder.path());
        try {
            if (!Files.exists(path)) {
                Files.createDirectory(path);
                Files.setAttribute(path, "unix:mode", folder.mode());
            }
        } catch (IOException e) {
            warnings.accept("cannot create " + CommandException.reason(e));
        }
    }

    /** An image has no machine id, or an empty one: each of its containers gets its own. */
    private void machineId() {
        Path file = root.resolve(MACHINE_ID);
        try {
            if (Files.notExists(file) || isOfAnImage(Files.readString(file, ISO_8859_1))) {
                String id = UUID.randomUUID().toString().replace("-", "");
                Files.writeString(file, id + "\n", US_ASCII);
            }
        } catch (IOException e) {
            warnings.accept("cannot write a machine id: " + CommandException.reason(e));
        }
    }

    private static boolean isOfAnImage(String id) {
        return id.isBlank() || id.strip().equals(UNINITIALIZED);
    }

    private void run(List<String> program) throws InterruptedException {
        String name = program.getFirst();
        try {
            RunResult result = Run.of(program).mergeError().timeout(TIME).run();
            boolean isDone =
                    result.exit().isSuccess()
                            || (result.exit() instanceof Exit.Exited(int status)
                                    && IN_PART.contains(status));
            if (!isDone) {
                List<String> lines = result.outputLines();
                warnings.accept(
                        name
                                + " "
                                + result.exit()
                                + (lines.isEmpty() ? "" : ": " + lines.getLast()));
            }
        } catch (ErrnoException e) {
            if (e.errno() != Errno.ENOENT) { // not installed
                warnings.accept(e.getMessage());
            }
        } catch (RunFailedException e) {
            warnings.accept(name + ": " + e.getMessage());
        }
    }
}
