package io.holdfast.manager;

import io.holdfast.core.linux.ErrnoException;
import io.holdfast.core.process.PidFd;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * Finds the main process of a forking service, whose first process has ended: the one that its PID
 * file names, if that is a process of the unit; else the only one that there is. A number is never
 * more than a hint: it is held first, and what is held must belong to the unit. On the loop.
 */
final class ForkedMain {
    /** What a PID file may have of bytes: a number, and blanks around it. */
    private static final int MOST_BYTES = 64;

    private final ServiceLife life;
    private @Nullable FileWatch watch;

    ForkedMain(ServiceLife life) {
        this.life = life;
    }

    /**
     * Waits for the PID file, if the unit has one, for as long as the start may take.
     *
     * @param found when the main process is known, or will never be
     */
    void find(Runnable found) {
        ServiceRun run = life.running();
        Optional<String> file = life.unit().service().pidFile();
        if (file.isPresent()) {
            await(run, Path.of(file.get()), found);
        } else if (life.unit().service().guessMainPid()) {
            run.only(process -> {
                if (isStarting(run)) {
                    process.ifPresent(only -> take(run, only.duplicate()));
                    found.run();
                }
            });
        } else {
            found.run();
        }
    }

    private void take(ServiceRun run, PidFd process) {
        run.replaceMain(process);
        life.info("its main process is " + process);
    }

    private boolean isStarting(ServiceRun run) {
        return life.is(SubState.START) && life.run().filter(run::equals).isPresent();
    }

    /** Looks now, and whenever the file changes, until the start is over. */
    private void await(ServiceRun run, Path file, Runnable found) {
        if (!isStarting(run)) {
            return;
        }
        FileWatch opened;
        try {
            opened = FileWatch.of(life.context.loop(), file);
        } catch (IOException e) {
            life.warn("cannot wait for its PID file: " + e.getMessage());
            found.run();
            return;
        }
        watch = opened;
        opened.each(
                () -> // what was left behind meanwhile is ours by now
                life.context
                                .events()
                                .lookForOrphans(() -> {
                                    if (!opened.isClosed() && isStarting(run) && taken(run, file)) {
                                        cancel();
                                        found.run();
                                    }
                                }));
    }

    /** Nobody waits for the file any more. */
    void cancel() {
        if (watch != null) {
            watch.close();
            watch = null;
        }
    }

    private boolean taken(ServiceRun run, Path file) {
        OptionalInt number = read(file);
        if (number.isEmpty()) {
            return false;
        }
        PidFd process = PidFd.find(number.getAsInt()).orElse(null);
        if (process == null || !isOf(run, process)) {
            life.warnOnce(
                    file
                            + " names "
                            + (process == null ? "no process" : process)
                            + ", which is none of this unit's; waiting for another");
            if (process != null) {
                process.close();
            }
            return false;
        }
        take(run, process);
        return true;
    }

    private static boolean isOf(ServiceRun run, PidFd process) {
        try {
            return process.isAlive() && run.contains(process, process.info());
        } catch (ErrnoException e) {
            return false;
        }
    }

    /** The number in the file; empty while there is none. */
    private static OptionalInt read(Path file) {
        try (var in = Files.newInputStream(file)) {
            String text =
                    new String(
                                    in.readNBytes(MOST_BYTES),
                                    java.nio.charset.StandardCharsets.US_ASCII)
                            .strip();
            return text.matches("[1-9][0-9]{0,8}")
                    ? OptionalInt.of(Integer.parseInt(text))
                    : OptionalInt.empty();
        } catch (IOException e) {
            return OptionalInt.empty(); // not there yet
        }
    }
}
