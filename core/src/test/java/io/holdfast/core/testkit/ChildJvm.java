package io.holdfast.core.testkit;

import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.stream.Stream;
import javax.tools.JavaCompiler;
import javax.tools.ToolProvider;

/** Another JVM with the class path of this one, for what can only be set when a JVM starts. */
public final class ChildJvm {
    private ChildJvm() {}

    /**
     * How it ended.
     *
     * @param output standard output and error
     */
    public record Result(int status, String output) {}

    /** The command that runs the main method of a class. */
    public static List<String> command(List<String> options, Class<?> main, String... arguments) {
        return command(options, classPath(), main.getName(), arguments);
    }

    /**
     * Compiles source files against the class path of this JVM.
     *
     * @param folder the folder for the classes
     */
    public static void compile(Path folder, List<Path> files) {
        List<String> words = new ArrayList<>(List.of("-proc:none", "-cp", classPath()));
        words.addAll(List.of("-d", folder.toString()));
        files.forEach(file -> words.add(file.toString()));
        ByteArrayOutputStream said = new ByteArrayOutputStream();
        JavaCompiler compiler = Objects.requireNonNull(ToolProvider.getSystemJavaCompiler());
        if (compiler.run(null, said, said, words.toArray(String[]::new)) != 0) {
            throw new IllegalArgumentException(said.toString(StandardCharsets.UTF_8));
        }
    }

    /** The command that runs a class that {@link #compile} has put into a folder. */
    public static List<String> compiled(Path folder, String main, String... arguments) {
        return command(List.of(), folder + File.pathSeparator + classPath(), main, arguments);
    }

    private static List<String> command(
            List<String> options, String classPath, String main, String... arguments) {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.add("--enable-native-access=ALL-UNNAMED");
        command.add("--illegal-native-access=deny");
        command.add("-XX:+UseSerialGC");
        command.add("-XX:TieredStopAtLevel=1");
        command.addAll(options);
        command.add("-cp");
        command.add(classPath);
        command.add(main);
        command.addAll(List.of(arguments));
        return command;
    }

    /** Runs it to its end. */
    public static Result run(List<String> options, Class<?> main, String... arguments) {
        return run(command(options, main, arguments));
    }

    /** Runs a command to its end, which an interrupt (a test's time-out) brings about. */
    public static Result run(List<String> command) {
        try {
            Process jvm = new ProcessBuilder(command).redirectErrorStream(true).start();
            try {
                jvm.getOutputStream().close();
                FutureTask<byte[]> output =
                        new FutureTask<>(() -> jvm.getInputStream().readAllBytes());
                Thread.startVirtualThread(output);
                int status = jvm.waitFor();
                return new Result(status, new String(output.get(), StandardCharsets.UTF_8));
            } finally {
                jvm.destroyForcibly();
            }
        } catch (IOException | ExecutionException e) {
            throw new IllegalStateException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    /** A copy of what is on the class path, for a user who cannot look into the home of another. */
    public static String classPathIn(Path folder) throws IOException {
        List<String> copies = new ArrayList<>();
        int number = 0;
        for (String entry : classPath().split(File.pathSeparator)) {
            Path from = Path.of(entry);
            Path to = folder.resolve("lib" + number++ + "-" + from.getFileName());
            if (!Files.exists(from) || from.endsWith("test-classes")) {
                continue;
            }
            try (Stream<Path> files = Files.walk(from)) {
                for (Path file : (Iterable<Path>) files::iterator) {
                    Path copy = to.resolve(from.relativize(file).toString());
                    if (Files.isDirectory(file)) {
                        Files.createDirectories(copy);
                    } else {
                        Files.copy(file, file.equals(from) ? to : copy);
                    }
                }
            }
            copies.add(to.toString());
        }
        return String.join(File.pathSeparator, copies);
    }

    private static String classPath() {
        String ofSurefire = System.getProperty("surefire.test.class.path");
        return ofSurefire == null ? System.getProperty("java.class.path") : ofSurefire;
    }
}
