package io.holdfast.core.scope;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.process.Stdio;
import io.holdfast.core.sys.KernelFile;
import io.holdfast.core.testkit.Await;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;

/** Programs whose processes try to escape, and what is left of them. */
final class Descendants {
    private static final String VARIABLE = "HOLDFAST_SCOPE_TEST";
    private static final AtomicInteger COUNT = new AtomicInteger();

    private Descendants() {}

    /** A shell that runs a script. */
    static Spawn shell(String script) {
        return Spawn.of("sh", "-c", script).stdin(Stdio.devNull());
    }

    /** Forks twice, begins a session, ignores SIGHUP, and writes its PID; the shell exits. */
    static Spawn daemon(Path file) {
        return shell("(setsid nohup " + writing(file) + " >/dev/null 2>&1 &)");
    }

    /** Starts such a daemon without any environment. */
    static Spawn daemonWithoutEnvironment(Path file) {
        return shell("(env -i setsid /bin/" + writing(file) + " >/dev/null 2>&1 &)");
    }

    private static String writing(Path file) {
        return "sh -c 'echo $$ > " + file + "; exec sleep 1000'";
    }

    /**
     * Processes that fork and exit again and again, so that only the child continues, in a process
     * group of their own whose id they write; for half a minute at most, whatever a test does.
     *
     * @param forks how often all processes fork first, which doubles their number each time
     * @param pause the lifetime of each process in milliseconds
     */
    static Spawn relay(Path running, int forks, int pause) {
        String program =
                ("my $end = time + 30; fork for 1..%d;"
                                + " if ($$ == getpgrp) { open(F, '>', '%s'); print F $$, \"\\n\"; close F; }"
                                + " while (time < $end)"
                                + " { my $p = fork; exit if $p; select(undef, undef, undef, %d / 1000) }")
                        .formatted(forks, running, pause);
        return Spawn.of("perl", "-e", program).stdin(Stdio.devNull()).newProcessGroup();
    }

    /** Two shells that start daemons as fast as they can, for a bounded number of times. */
    static Spawn storm(Path running) {
        String loop = "for i in $(seq 400); do (setsid sleep 1000 &); done";
        String script = "echo $$ > %s; (%s) & %s; wait".formatted(running, loop, loop);
        return shell(script).newProcessGroup();
    }

    /** Returns whether a process, or a zombie, is in a process group. */
    static boolean isGroupLeft(String group) {
        try (Child kill = shell("kill -s 0 -- -" + group + " 2>/dev/null").start()) {
            return kill.await().isSuccess();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Tags a spawn with a value that no other test has, by which its processes are found. */
    static String tag(Spawn spawn) {
        String tag = ProcessHandle.current().pid() + "-" + COUNT.incrementAndGet();
        spawn.environment(VARIABLE, tag);
        return tag;
    }

    /** Returns the processes with a tag, except zombies. */
    static List<String> tagged(String tag) {
        List<String> found = new ArrayList<>();
        String[] numbers = new File("/proc").list((_, name) -> name.matches("\\d+"));
        for (String number : numbers == null ? new String[0] : numbers) {
            try {
                String file = "/proc/" + number + "/environ";
                if (KernelFile.strings(null, file).contains(VARIABLE + "=" + tag)) {
                    found.add(number);
                }
            } catch (ErrnoException e) {
                switch (e.errno()) {
                    case Errno.ENOENT, Errno.ESRCH, Errno.EACCES -> {} // gone, or of another user
                    default -> throw e;
                }
            }
        }
        return found;
    }

    /** Opens the process whose PID was written to a file. */
    static PidFd written(Path file) {
        awaitWritten(file);
        return PidFd.open(Integer.parseInt(text(file).strip()));
    }

    static void awaitWritten(Path file) {
        Await.until(() -> !text(file).isEmpty());
    }

    static String text(Path file) {
        try {
            String text = Files.exists(file) ? Files.readString(file) : "";
            return text.endsWith("\n") ? text : "";
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Returns the zombies among the children of this JVM. */
    static List<String> zombies() {
        List<String> zombies = new ArrayList<>();
        try (PidFd self = PidFd.self()) {
            for (int number : self.proc().children()) {
                Optional<PidFd> child = PidFd.find(number);
                if (child.isPresent()) {
                    try (PidFd process = child.get()) {
                        if (process.state() == PidFd.State.EXITED) {
                            zombies.add(process.toString());
                        }
                    }
                }
            }
        }
        return zombies;
    }
}
