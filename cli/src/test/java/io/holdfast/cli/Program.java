package io.holdfast.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.testkit.ChildJvm;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** The result of the command in another process: its exit code and its output. */
public record Program(int code, String out, String err) {
    private static final long LIMIT_SECONDS = 60;

    /**
     * The folder of the jars and AOT caches that the launcher uses, or null. {@code ./test} has
     * built it: a command starts from there with a third of the processor time.
     */
    private static final @Nullable String PACKAGED = System.getProperty("holdfast.packaged");

    private static final Set<String> DAEMONS = Set.of("up", "bus", "authority");

    /** Returns the words that start the command: java, its options, the command, its arguments. */
    public static List<String> command(List<String> vmOptions, String... arguments) {
        if (PACKAGED == null) {
            return ofClasses(classPath(), vmOptions, arguments);
        }
        String cache =
                arguments.length > 0 && DAEMONS.contains(arguments[0]) ? arguments[0] : "holdfast";
        List<String> how =
                List.of(
                        "-Xlog:disable", // as the launcher; a cache that does not fit is no error
                        "-XX:AOTCache=" + PACKAGED + "/" + cache + ".aot",
                        "-p",
                        PACKAGED,
                        "--enable-native-access=io.holdfast.core,io.holdfast.authority",
                        "-m",
                        "io.holdfast.cli/" + Holdfast.class.getName());
        return words(vmOptions, how, arguments);
    }

    /** Returns the words that start the command as another user, who may write to a folder. */
    static List<String> ofOtherUser(Path home, String... arguments) throws IOException {
        return PACKAGED != null && mayBeEntered(Path.of(PACKAGED))
                ? command(List.of(), arguments)
                : ofClasses(ChildJvm.classPathIn(home), List.of(), arguments);
    }

    private static boolean mayBeEntered(Path folder) throws IOException {
        for (Path each = folder; each != null; each = each.getParent()) {
            if (!Files.getPosixFilePermissions(each).contains(PosixFilePermission.OTHERS_EXECUTE)) {
                return false;
            }
        }
        return true;
    }

    /** Returns the words that start the command from other copies of the classes. */
    public static List<String> ofClasses(
            String classPath, List<String> vmOptions, String... arguments) {
        List<String> how =
                List.of(
                        "--enable-native-access=ALL-UNNAMED",
                        "-cp",
                        classPath,
                        Holdfast.class.getName());
        return words(vmOptions, how, arguments);
    }

    private static List<String> words(
            List<String> vmOptions, List<String> how, String... arguments) {
        List<String> words = new ArrayList<>();
        words.add(Path.of(System.getProperty("java.home", ""), "bin", "java").toString());
        words.addAll(List.of("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"));
        words.addAll(vmOptions);
        words.addAll(how);
        words.addAll(List.of(arguments));
        return words;
    }

    private static String classPath() {
        return System.getProperty(
                "surefire.test.class.path", System.getProperty("java.class.path", ""));
    }

    public static Process start(String... arguments) throws IOException {
        return new ProcessBuilder(command(List.of(), arguments)).start();
    }

    public static Program run(String... arguments) throws Exception {
        return end(start(arguments));
    }

    public static Program run(ProcessBuilder builder) throws Exception {
        return end(builder.start());
    }

    /** Waits for the process, and reads its output. */
    public static Program end(Process process) throws Exception {
        CompletableFuture<byte[]> err =
                CompletableFuture.supplyAsync(() -> {
                    try {
                        return process.getErrorStream().readAllBytes();
                    } catch (IOException e) {
                        throw new IllegalStateException(e);
                    }
                });
        process.getOutputStream().close();
        byte[] out = process.getInputStream().readAllBytes();
        try {
            assertThat(process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS)).isTrue();
            return new Program(
                    process.exitValue(),
                    new String(out, StandardCharsets.UTF_8),
                    new String(err.get(), StandardCharsets.UTF_8));
        } finally {
            process.destroyForcibly();
        }
    }
}
