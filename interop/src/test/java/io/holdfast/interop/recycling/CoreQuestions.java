package io.holdfast.interop.recycling;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Signal;
import io.holdfast.core.process.Cgroup;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.process.ProcessId;
import io.holdfast.core.process.ProcessInfo;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;

/**
 * The answers of core: a handle of a process never reports anything about its successor, and does
 * nothing to it.
 */
final class CoreQuestions {
    private static final int REMEMBERED = 64;
    private static final long BETWEEN_LOOKS_NANOS = 3_000_000;

    private final Board board;
    private final long rootCgroup;
    private final Kind mortal;
    private final Set<Long> mainProcesses;

    /**
     * @param mortal the kind that may be ended by others than the hammers
     * @param mainProcesses the identities of the other processes in the units' cgroups
     */
    CoreQuestions(Board board, Kind mortal, Set<Long> mainProcesses) {
        this.board = board;
        this.mortal = mortal;
        this.mainProcesses = mainProcesses;
        try (Cgroup root = Cgroup.root()) {
            rootCgroup = root.id();
        }
    }

    /**
     * Looks a process up by its PID twice, and counts how often that finds two processes: shows
     * that PIDs are recycled fast enough for the other questions to mean something.
     */
    void byNumberTwice(QuestionTally tally, int slot, Random random) throws IOException {
        int number = board.number(slot);
        Optional<PidFd> found = PidFd.find(number);
        if (found.isEmpty()) {
            return;
        }
        Kind kind;
        try (PidFd process = found.get()) {
            kind = board.entry(slot, process.id()).kind();
        }
        LockSupport.parkNanos(BETWEEN_LOOKS_NANOS);
        try {
            String name = Files.readString(Path.of("/proc/" + number + "/comm")).strip();
            tally.judge(name.equals("hammer") || name.equals(kind.name()), kind + " is " + name);
        } catch (NoSuchFileException e) {
            // gone
        } catch (IOException e) {
            if (!String.valueOf(e.getMessage()).contains("No such process")) {
                throw e;
            }
        }
    }

    /** The information about a process belongs to one kind, or is missing. */
    void info(QuestionTally tally, int slot, Random random) {
        Optional<PidFd> found = PidFd.find(board.number(slot));
        if (found.isEmpty()) {
            return;
        }
        try (PidFd process = found.get()) {
            Kind kind = board.entry(slot, process.id()).kind();
            ProcessInfo info = process.info();
            info.credentials()
                    .ifPresent(ids -> tally.judge(isUid(kind, ids.realUid()), kind + ": " + ids));
            // A process that is being born or dying may be in the root cgroup.
            info.cgroupId()
                    .ifPresent(id ->
                            tally.judge(
                                    id == kind.cgroup().id() || id == rootCgroup,
                                    kind + " in cgroup " + id));
            unlessGone(() -> process.proc().name())
                    .ifPresent(name ->
                            tally.judge(
                                    name.equals("hammer") || name.equals(kind.name()),
                                    kind + " is called " + name));
            unlessGone(() -> process.cgroupPath().path())
                    .ifPresent(path ->
                            tally.judge(
                                    path.equals("/") || path.equals(kind.cgroup().path().path()),
                                    kind + " at " + path));
        }
    }

    /**
     * Returns whether a process of a kind can have a uid: until it changes its user it is root's.
     */
    static boolean isUid(Kind kind, long uid) {
        return uid == 0 || uid == kind.uid();
    }

    private static <T> Optional<T> unlessGone(Supplier<T> question) {
        try {
            return Optional.of(question.get());
        } catch (ErrnoException e) {
            if (e.errno() == Errno.ESRCH) {
                return Optional.empty();
            }
            throw e;
        }
    }

    /** Opens processes by PID and identity long after they are gone. */
    Question reopening() {
        Deque<ProcessId> names = new ArrayDeque<>();
        return (tally, slot, random) -> {
            PidFd.find(board.number(slot))
                    .ifPresent(process -> {
                        try (process) {
                            unlessGone(process::processId).ifPresent(names::addLast);
                        }
                    });
            if (names.size() > REMEMBERED) {
                ProcessId _ = names.removeFirst();
            }
            for (ProcessId name : names) {
                long id = name.pidfdId().orElseThrow();
                for (Optional<PidFd> again :
                        List.of(
                                unlessGone(() -> PidFd.open(name.pid(), id)),
                                unlessGone(() -> PidFd.restore(name)))) {
                    tally.judge(
                            again.isEmpty() || again.get().id() == id,
                            name + " opened as " + again);
                    again.ifPresent(PidFd::close);
                }
            }
        };
    }

    /** Holds processes until long after they are gone, and queries their state. */
    Question holding() {
        record Held(Board.Entry entry, PidFd process) {}
        Deque<Held> all = new ArrayDeque<>();
        return (tally, slot, random) -> {
            PidFd.find(board.number(slot))
                    .ifPresent(
                            found -> all.addLast(new Held(board.entry(slot, found.id()), found)));
            if (all.size() > REMEMBERED) {
                all.removeFirst().process().close();
            }
            for (Held held : all) {
                PidFd process = held.process();
                boolean wasGone = board.isGone(held.entry());
                PidFd.State state = process.state();
                tally.judge(!wasGone || state == PidFd.State.REAPED, process + " is " + state);
                if (state == PidFd.State.REAPED) {
                    ProcessInfo info = process.info();
                    tally.judge(
                            info.pid().isEmpty() && info.credentials().isEmpty(),
                            "of a reaped process: " + info);
                    tally.judge(!process.signal(Signal.TERM), process + " took a signal");
                    tally.judge(unlessGone(process::pid).isEmpty(), process + " has a number");
                }
            }
        };
    }

    /** Ends processes of the mortal kind; the hammers count other processes that were hit. */
    void signal(QuestionTally tally, int slot, Random random) {
        PidFd.find(board.number(slot))
                .ifPresent(process -> {
                    try (process) {
                        if (board.entry(slot, process.id()).kind().equals(mortal)) {
                            boolean _ = process.signal(Signal.TERM);
                            long before = board.endedByOthers();
                            tally.judge(before == 0, before + " of other kinds were ended");
                        }
                    }
                });
    }

    /** The members of a cgroup are the processes in it, never one that got a member's PID. */
    void members(QuestionTally tally, int slot, Random random) {
        mortal.cgroup()
                .forEachMember(member -> {
                    if (mainProcesses.contains(member.id())) {
                        return;
                    }
                    Optional<Integer> number = unlessGone(member::pid);
                    if (number.isEmpty()) {
                        return;
                    }
                    Kind kind = board.entry(number.get() - board.number(0), member.id()).kind();
                    tally.judge(kind.equals(mortal), kind + " is a member of " + mortal.cgroup());
                    tally.judge(
                            mortal.cgroup().contains(member) || kind.equals(mortal),
                            kind + " is contained in " + mortal.cgroup());
                });
    }
}
