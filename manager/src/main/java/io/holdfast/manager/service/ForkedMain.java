package io.holdfast.manager.service;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.process.PidFd;
import io.holdfast.manager.run.UnitRun;
import io.holdfast.manager.unit.value.ServiceType;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Finds the main process of a forking service whose first process has exited: the process named in
 * its PID file, if it belongs to the unit; without a PID file, the only process of the unit whose
 * parent is the manager. A PID is never more than a hint: the process is first held by a pidfd, and
 * then must belong to the unit. Used on the event loop.
 */
final class ForkedMain {
    private final ServiceLife life;
    private @Nullable PidFile file; // present while it is waited for

    ForkedMain(ServiceLife life) {
        this.life = life;
    }

    /**
     * Waits for the PID file, if the unit has one, for as long as the start may take and a process
     * of the unit lives.
     *
     * @param found called when the main process is known, or when it will never be known
     */
    void find(Runnable found) {
        UnitRun run = life.running();
        Optional<String> path = life.unit().service().pidFile();
        if (path.isPresent()) {
            await(run, path.get(), found);
        } else if (life.unit().service().guessMainPid()) {
            run.onlyChild(process -> {
                if (isStarting(run)) {
                    process.ifPresent(only -> take(run, only.duplicate()));
                    found.run();
                }
            });
        } else {
            found.run();
        }
    }

    private void take(UnitRun run, PidFd process) {
        run.replaceMain(process);
        life.info("its main process is " + process);
    }

    private boolean isStarting(UnitRun run) {
        return life.is(ServiceState.START) && isCurrent(run);
    }

    /** Looks now and after each change of the file, until the start is over. */
    private void await(UnitRun run, String path, Runnable found) {
        if (!isStarting(run)) {
            return;
        }
        try {
            file =
                    new PidFile(
                            life.context().loop(),
                            life.lane(),
                            path,
                            content -> looked(run, path, content, found));
            run.watchEmpty(); // nothing that is left could write the file
        } catch (ErrnoException e) {
            life.warn("cannot wait for its PID file: " + e.getMessage());
            found.run();
        }
    }

    private void looked(UnitRun run, String path, PidFile.Content content, Runnable found) {
        content.refusal()
                .ifPresent(why ->
                        life.complaints().log("not read", "its PID file is not read: " + why));
        if (content.number().isPresent()) { // first adopts what was orphaned meanwhile
            life.context()
                    .events()
                    .lookForOrphans(() -> {
                        if (file != null
                                && isStarting(run)
                                && taken(run, path, content.number().getAsInt())) {
                            cancel();
                            found.run();
                        }
                    });
        }
    }

    /**
     * Looks once more: a server that executes a new version of itself replaces its main process.
     * The PID file decides; a unit without one is searched only if it has no known main process.
     *
     * @param then called with whether there is another main process now; not called if the run ends
     *     meanwhile
     */
    void findAnother(Consumer<Boolean> then) {
        UnitRun run = life.running();
        Optional<String> path = life.unit().service().pidFile();
        boolean guesses =
                life.unit().service().type() == ServiceType.FORKING
                        && life.unit().service().guessMainPid();
        if (path.isPresent()) {
            PidFile.readOnce(
                    life.lane(),
                    path.get(),
                    number ->
                            life.context()
                                    .events()
                                    .lookForOrphans(() -> {
                                        if (isCurrent(run)) {
                                            then.accept(
                                                    number.isPresent()
                                                            && isAnother(run, number.getAsInt()));
                                        }
                                    }));
        } else if (guesses && run.main().isEmpty()) {
            run.onlyChild(process -> {
                if (isCurrent(run)) {
                    process.ifPresent(only -> take(run, only.duplicate()));
                    then.accept(process.isPresent());
                }
            });
        } else {
            then.accept(false);
        }
    }

    private boolean isCurrent(UnitRun run) {
        return life.run().filter(run::equals).isPresent();
    }

    /** Makes a process the main process if it is of the unit, and not the main process already. */
    private boolean isAnother(UnitRun run, int number) {
        PidFd process = PidFd.find(number).orElse(null);
        if (process == null) {
            return false;
        }
        if (run.isMain(process) || !isOf(run, process)) {
            process.close();
            return false;
        }
        take(run, process);
        return true;
    }

    /** Returns whether the PID file is being waited for. */
    boolean isAwaited() {
        return file != null;
    }

    /** Stops waiting for the file. */
    void cancel() {
        if (file != null) {
            file.close();
            file = null;
        }
    }

    private boolean taken(UnitRun run, String path, int number) {
        PidFd process = PidFd.find(number).orElse(null);
        if (process == null || !isOf(run, process)) {
            life.complaints()
                    .log(
                            "not of the unit",
                            path
                                    + (process == null
                                            ? " names no process"
                                            : " names " + process + ", which is not of this unit")
                                    + "; still waiting");
            if (process != null) {
                process.close();
            }
            return false;
        }
        take(run, process);
        return true;
    }

    private static boolean isOf(UnitRun run, PidFd process) {
        try {
            return process.isAlive() && run.contains(process);
        } catch (ErrnoException e) {
            return false;
        }
    }
}
