package io.holdfast.interop;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.util.List;
import java.util.stream.Stream;

/** The checkout whose command the tests run. */
public final class Checkout {
    public static final Path FOLDER = Path.of("..").toAbsolutePath().normalize();

    /** The launcher, which the tests run as it is built. */
    public static final Path HOLDFAST = FOLDER.resolve("holdfast");

    private Checkout() {}

    /** Returns the words that run the command as it is built, with the launcher's caches. */
    public static List<String> command(String... arguments) {
        return Stream.concat(
                        Stream.of("env", "HOLDFAST_AS_BUILT=yes", HOLDFAST.toString()),
                        Stream.of(arguments))
                .toList();
    }

    /** Skips a test whose programs could not run the command as another user. */
    public static void requireForAll() throws IOException {
        for (Path each = FOLDER; each != null; each = each.getParent()) {
            assumeTrue(
                    Files.getPosixFilePermissions(each)
                            .contains(PosixFilePermission.OTHERS_EXECUTE),
                    "needs a checkout that other users may enter, unlike " + each);
        }
        requireBuilt();
    }

    /** Skips a test if the command was not built. */
    public static void requireBuilt() {
        assumeTrue(
                Files.exists(FOLDER.resolve(".holdfast/launch")),
                "the command must have been built: ./holdfast --version");
    }
}
