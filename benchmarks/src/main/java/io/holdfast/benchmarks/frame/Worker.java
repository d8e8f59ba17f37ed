package io.holdfast.benchmarks.frame;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * A process that measures on command: a Java program in a separate JVM, or a C program. A command
 * is one line, its answer is a line of numbers.
 */
public final class Worker implements AutoCloseable {
    private static final long LIMIT_SECONDS = 300; // for one answer

    private final String name;
    private final Process process;
    private final OutputStream commands;
    private final LinkedBlockingQueue<String> answers = new LinkedBlockingQueue<>();

    private Worker(String name, List<String> command) throws IOException {
        this.name = name;
        this.process =
                new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
        this.commands = process.getOutputStream();
        BufferedReader reader = process.inputReader(StandardCharsets.UTF_8);
        Thread.ofPlatform()
                .daemon()
                .name("answers of " + name)
                .start(() -> reader.lines().forEach(answers::add));
    }

    /** Returns the words before a command that pin it to a processor, if there are at least two. */
    public static List<String> on(int processor) {
        return Runtime.getRuntime().availableProcessors() > 1
                ? List.of("taskset", "-c", Integer.toString(processor))
                : List.of();
    }

    /** Starts a JVM with further flags that runs a program of these sources. */
    public static Worker java(Class<?> program, String name, String... flags) throws IOException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.add("--enable-native-access=ALL-UNNAMED");
        command.addAll(List.of(flags));
        command.addAll(List.of("-cp", System.getProperty("java.class.path")));
        command.add(program.getName());
        return new Worker(name, command);
    }

    /**
     * Starts a JVM of a user that runs a program of these sources.
     *
     * @param arguments of the program
     */
    public static Worker javaAs(int uid, Class<?> program, String name, List<String> arguments)
            throws IOException {
        List<String> command =
                new ArrayList<>(
                        List.of(
                                "setpriv",
                                "--reuid=" + uid,
                                "--regid=" + uid,
                                "--clear-groups",
                                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                                "--enable-native-access=ALL-UNNAMED",
                                "-cp",
                                System.getProperty("java.class.path"),
                                program.getName()));
        command.addAll(arguments);
        return new Worker(name, command);
    }

    /** Starts the reference program in C. */
    public static Worker c() throws IOException, InterruptedException {
        return new Worker("C", List.of(Native.REFERENCE.build().toString()));
    }

    /** Starts the load generator at a bus, on a processor. */
    public static Worker busload(String bus, Path socket, int processor)
            throws IOException, InterruptedException {
        return busload(List.of(), bus, socket, processor);
    }

    /** Starts the load generator through another command. */
    public static Worker busload(List<String> by, String bus, Path socket, int processor)
            throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(by);
        command.addAll(on(processor));
        command.addAll(List.of(Native.BUSLOAD.build().toString(), socket.toString()));
        return new Worker("the generator at " + bus, command);
    }

    /** Starts another program that answers commands. */
    public static Worker command(String name, List<String> command) throws IOException {
        return new Worker(name, command);
    }

    /** Sends a command and waits for its answer. */
    public double[] request(String command) throws IOException, InterruptedException {
        send(command);
        return answer();
    }

    public void send(String command) throws IOException {
        commands.write((command + "\n").getBytes(StandardCharsets.UTF_8));
        commands.flush();
    }

    public double[] answer() throws IOException, InterruptedException {
        String[] words = line().split(" ");
        double[] numbers = new double[words.length];
        for (int i = 0; i < words.length; i++) {
            numbers[i] = Double.parseDouble(words[i]);
        }
        return numbers;
    }

    public void expect(String word) throws IOException, InterruptedException {
        String line = line();
        if (!line.equals(word)) {
            throw new IOException(name + " said " + line + ", not " + word);
        }
    }

    public long pid() {
        return process.pid();
    }

    private String line() throws IOException, InterruptedException {
        for (long left = LIMIT_SECONDS; left > 0; left--) {
            String line = answers.poll(1, TimeUnit.SECONDS);
            if (line != null) {
                return line;
            }
            if (!process.isAlive() && answers.isEmpty()) {
                throw new IOException(name + " has exited with " + process.exitValue());
            }
        }
        throw new IOException(name + " did not answer in " + LIMIT_SECONDS + " s");
    }

    /** Ends the process. */
    @Override
    public void close() throws IOException {
        try {
            commands.close(); // end of input ends the process
            if (!process.waitFor(10, TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
    }
}
