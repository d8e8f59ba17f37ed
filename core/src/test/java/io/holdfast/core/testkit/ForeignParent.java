package io.holdfast.core.testkit;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Signal;
import io.holdfast.core.process.Exit;
import io.holdfast.core.process.PidFd;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;

/**
 * A process with children of its own, which are strangers to this JVM: they stay zombies until they
 * are told to be reaped, and their numbers can be recycled at will. A Perl script, since Debian is
 * never without Perl.
 *
 * <p>Recycling takes {@code clone3} with {@code set_tid} (Linux 5.5, root): the number of a process
 * just reaped is given to a new one in one step, without turning the kernel's counter round. One
 * thread at a time.
 */
public final class ForeignParent implements AutoCloseable {
    private final Process perl;
    private final BufferedReader answers;
    private final Writer commands;

    private ForeignParent(Process perl) {
        this.perl = perl;
        this.answers = perl.inputReader(StandardCharsets.UTF_8);
        this.commands = perl.outputWriter(StandardCharsets.UTF_8);
    }

    /** Starts one without children. */
    public static ForeignParent start() {
        try (InputStream script = ForeignParent.class.getResourceAsStream("foreign-parent.pl")) {
            if (script == null) {
                throw new IllegalStateException("foreign-parent.pl is not on the class path");
            }
            String text = new String(script.readAllBytes(), StandardCharsets.UTF_8);
            return new ForeignParent(
                    new ProcessBuilder("perl", "-e", text)
                            .redirectError(ProcessBuilder.Redirect.INHERIT)
                            .start());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * Starts a child that does nothing.
     *
     * @param name what stands in its command line; without spaces
     * @param options see foreign-parent.pl, as {@code exit=3}
     * @return its number, which is its own until it is reaped
     */
    public int child(String name, String... options) {
        return Integer.parseInt(born(name, options).split(" ", -1)[0]);
    }

    /** The same, held. */
    public PidFd held(String name, String... options) {
        return PidFd.open(child(name, options));
    }

    /** Starts a child that executes a program, which reports in READY_FD: what it said. */
    public Program program(String name, String... options) {
        String[] words = born(name, options).split(" ", -1);
        return new Program(Integer.parseInt(words[0]), words[1]);
    }

    /** A child's number, and what its program had to say. */
    public record Program(int pid, String said) {}

    private String born(String name, String... options) {
        return request("child " + name + " " + String.join(" ", options));
    }

    /**
     * Kills and reaps a child, and starts another with the same number.
     *
     * @return false if somebody else took the number in between: there is no such child any more
     */
    public boolean recycle(int pid, String name, String... options) {
        try {
            String number =
                    request("recycle " + pid + " " + name + " " + String.join(" ", options));
            return Integer.parseInt(number.strip()) == pid;
        } catch (ErrnoException e) {
            if (e.errno() == Errno.EEXIST) {
                return false;
            }
            throw e;
        }
    }

    /** Waits until a child has exited, and reaps it. */
    public Exit reap(int pid) {
        return Exit.ofWaitStatus(Integer.parseInt(request("reap " + pid)));
    }

    /** {@code kill(2)}: whoever has the number now. False if nobody has. */
    public boolean kill(int pid, Signal signal) {
        return request("kill " + pid + " " + signal.number()).equals("1");
    }

    /** Ignores SIGCHLD from now on: the kernel reaps its children at once. */
    public void ignoreChildren() {
        String _ = request("ignore");
    }

    /** Its own number. */
    public int pid() {
        return Math.toIntExact(perl.pid());
    }

    private String request(String command) {
        try {
            commands.write(command.strip() + "\n");
            commands.flush();
            String answer = answers.readLine();
            if (answer == null) {
                throw new IllegalStateException("the foreign parent died of: " + command);
            }
            if (answer.startsWith("ok")) {
                return answer.substring(2).strip();
            }
            String[] error = answer.split(" ", 3);
            throw new ErrnoException(error[2], command, Integer.parseInt(error[1]));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Ends it and all its children. */
    @Override
    public void close() {
        try {
            commands.close();
            int _ = perl.waitFor();
            answers.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            perl.destroyForcibly();
            Thread.currentThread().interrupt();
        }
    }
}
