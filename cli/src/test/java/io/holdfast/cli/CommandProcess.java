package io.holdfast.cli;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** The command in its own JVM, with everything that it writes. */
public final class CommandProcess implements AutoCloseable {
    private static final long TIMEOUT = TimeUnit.SECONDS.toNanos(150);

    private final Process process;
    private final Thread reader;

    @GuardedBy("this")
    private final List<String> lines = new ArrayList<>();

    @GuardedBy("this")
    private boolean ended;

    private CommandProcess(List<String> before, List<String> java) throws IOException {
        List<String> command = new ArrayList<>(before);
        command.addAll(java);
        process =
                new ProcessBuilder(command)
                        .redirectErrorStream(true)
                        .redirectInput(Path.of("/dev/null").toFile())
                        .start();
        reader = Thread.ofPlatform().daemon().start(this::read);
    }

    /**
     * Starts the command.
     *
     * @param before words before the java command, such as {@code setpriv …}
     */
    public static CommandProcess start(List<String> before, String... arguments)
            throws IOException {
        return new CommandProcess(before, Program.command(List.of(), arguments));
    }

    public static CommandProcess start(String... arguments) throws IOException {
        return start(List.of(), arguments);
    }

    /**
     * Starts the command as the user {@code nobody}.
     *
     * @param home a folder to which this user may write
     * @param by words for env(1) before the command: variables, and words that run it
     */
    public static CommandProcess startAsNobody(Path home, List<String> by, String... arguments)
            throws IOException {
        List<String> before =
                new ArrayList<>(
                        List.of(
                                "setpriv",
                                "--reuid=nobody",
                                "--regid=nogroup",
                                "--clear-groups",
                                "env",
                                "HOME=" + home));
        before.addAll(by);
        return new CommandProcess(before, Program.ofOtherUser(home, arguments));
    }

    private void read() {
        try (BufferedReader in = process.inputReader()) {
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                synchronized (this) {
                    lines.add(line);
                    notifyAll();
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } finally {
            synchronized (this) {
                ended = true;
                notifyAll();
            }
        }
    }

    public int pid() {
        return Math.toIntExact(process.pid());
    }

    public synchronized List<String> lines() {
        return List.copyOf(lines);
    }

    /** Waits for the n-th line that contains the text, and returns it. */
    public synchronized String await(String text, int count) throws InterruptedException {
        long deadline = System.nanoTime() + TIMEOUT;
        while (true) {
            List<String> found = lines.stream().filter(line -> line.contains(text)).toList();
            if (found.size() >= count) {
                return found.get(count - 1);
            }
            long left = deadline - System.nanoTime();
            if (left <= 0 || ended) {
                throw new AssertionError("not written: " + text + "\n" + String.join("\n", lines));
            }
            TimeUnit.NANOSECONDS.timedWait(this, left);
        }
    }

    public String await(String text) throws InterruptedException {
        return await(text, 1);
    }

    /** Sends SIGTERM or SIGINT. */
    public void signal(String signal) throws IOException, InterruptedException {
        int code =
                new ProcessBuilder("/bin/kill", "-s", signal, Long.toString(process.pid()))
                        .inheritIO()
                        .start()
                        .waitFor();
        if (code != 0) {
            throw new AssertionError("kill: " + code);
        }
    }

    public int exitCode() throws InterruptedException {
        if (!process.waitFor(TIMEOUT, TimeUnit.NANOSECONDS)) {
            throw new AssertionError("it does not end\n" + String.join("\n", lines()));
        }
        reader.join();
        return process.exitValue();
    }

    @Override
    public void close() {
        process.destroy();
        try {
            if (!process.waitFor(TIMEOUT, TimeUnit.NANOSECONDS)) {
                process.destroyForcibly();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
