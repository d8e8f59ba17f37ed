package io.holdfast.core.testkit;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Small C programs beside the tests, for children that do what neither Java nor a shell can. A test
 * that uses one declares {@code @Needs(programs = "gcc")}.
 */
public final class CProgram {
    private static final Map<String, Path> BUILT = new ConcurrentHashMap<>();

    private CProgram() {}

    /**
     * Compiles a resource of a test class, once in this JVM.
     *
     * @param source its name, such as {@code threads.c}
     * @return the executable, deleted when the JVM ends
     */
    public static Path of(Class<?> owner, String source) {
        return BUILT.computeIfAbsent(source, _ -> compile(owner, source));
    }

    private static Path compile(Class<?> owner, String source) {
        try (InputStream code = owner.getResourceAsStream(source)) {
            if (code == null) {
                throw new IllegalStateException("no resource " + source + " beside " + owner);
            }
            Path program = Files.createTempFile("holdfast-", "-" + source.replace(".c", ""));
            program.toFile().deleteOnExit();
            Process gcc =
                    new ProcessBuilder(
                                    "gcc",
                                    "-O1",
                                    "-Wall",
                                    "-Werror",
                                    "-pthread",
                                    "-x",
                                    "c",
                                    "-",
                                    "-o",
                                    program.toString())
                            .redirectErrorStream(true)
                            .redirectInput(copy(code, program))
                            .start();
            String said = new String(gcc.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            if (gcc.waitFor() != 0) {
                throw new IllegalStateException(source + " does not compile:\n" + said);
            }
            return program;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private static File copy(InputStream code, Path program) throws IOException {
        File copy = new File(program + ".c");
        copy.deleteOnExit();
        Files.write(copy.toPath(), code.readAllBytes());
        return copy;
    }
}
