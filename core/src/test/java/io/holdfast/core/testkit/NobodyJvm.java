package io.holdfast.core.testkit;

import io.holdfast.core.process.PidFd;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * Another JVM that runs as nobody. The classes are copied to where nobody may read them. A test
 * that uses it declares {@code @Needs(root = true, programs = "setpriv")}.
 */
public final class NobodyJvm {
    /** Its user and group. */
    public static final long ID = 65534;

    private NobodyJvm() {}

    /**
     * The command that runs the main method of a class, which may use core and the test's own
     * classes.
     *
     * @param folder of the test, which gets a copy of the classes
     */
    public static List<String> command(
            Path folder, List<String> options, Class<?> main, String... arguments) {
        List<String> command = new ArrayList<>();
        command.addAll(
                List.of("setpriv", "--reuid=" + ID, "--regid=" + ID, "--clear-groups", "--"));
        List<String> all = new ArrayList<>(options);
        all.add("-XX:-UsePerfData");
        command.addAll(ChildJvm.command(all, main, arguments));
        command.set(command.indexOf("-cp") + 1, classes(folder, main).toString());
        return command;
    }

    private static Path classes(Path folder, Class<?> main) {
        try {
            Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
            Path classes = folder.resolve("classes");
            copy(PidFd.class, classes);
            copy(main, classes);
            return classes;
        } catch (IOException | URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    private static void copy(Class<?> of, Path to) throws IOException, URISyntaxException {
        Path from = Path.of(of.getProtectionDomain().getCodeSource().getLocation().toURI());
        try (Stream<Path> files = Files.walk(from)) {
            for (Path file : files.filter(each -> each.toString().endsWith(".class")).toList()) {
                Path copy = to.resolve(from.relativize(file));
                Files.createDirectories(copy.getParent());
                if (!Files.exists(copy)) {
                    Files.copy(file, copy);
                }
            }
        }
    }
}
