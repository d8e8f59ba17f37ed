package io.holdfast.manager.run;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.process.ProcessId;
import io.holdfast.core.state.Fields;
import io.holdfast.manager.log.OutputPipe;
import io.holdfast.manager.survival.Survival;
import io.holdfast.manager.unit.UnitName;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * The descriptors of a run that outlive the manager: the pipe for its output, the locks of its
 * temporary folders, and the pidfds of its main and control processes.
 */
final class KeptRun {
    /** The role of a process that a run holds. */
    enum Role {
        MAIN,
        CONTROL;

        /** Returns the name of its field and the prefix of its key. */
        private String word() {
            return this == MAIN ? "main" : "control";
        }
    }

    private static final String OUTPUT = "output ";
    private static final String FOLDERS = "temporary folders ";

    private final Survival survival;
    private final UnitName unit;
    private boolean hasFolders;

    KeptRun(Survival survival, UnitName unit) {
        this.survival = survival;
        this.unit = unit;
    }

    private String key(Role role) {
        return role.word() + " " + unit;
    }

    void keep(OutputPipe output) {
        survival.keep(OUTPUT + unit, output.ends());
    }

    /**
     * Returns the ends of the pipe of an earlier manager, if they were kept; the caller closes
     * them.
     */
    List<Fd> output() {
        return survival.take(OUTPUT + unit);
    }

    /** Keeps the locks of temporary folders, so that no other manager removes a folder. */
    void keepFolders(List<Fd> locks) {
        if (!locks.isEmpty()) {
            hasFolders = true;
            survival.keepClosable(FOLDERS + unit, locks);
        }
    }

    /** Returns the locks that an earlier manager has kept; the caller closes them. */
    List<Fd> folders() {
        hasFolders = true;
        return survival.take(FOLDERS + unit);
    }

    void keep(Role role, PidFd process) {
        survival.keep(key(role), List.of(process.fd()));
    }

    void drop(Role role) {
        survival.drop(key(role));
    }

    /** Drops all but the locks of its temporary folders, which its clean-up still needs. */
    void drop() {
        survival.drop(OUTPUT + unit);
        drop(Role.MAIN);
        drop(Role.CONTROL);
    }

    /** Records that the run is over, and drops the locks of its temporary folders. */
    void dropFolders() {
        if (hasFolders) {
            survival.write(unit); // now: the next run may keep its own locks in this turn
            survival.drop(FOLDERS + unit);
        }
    }

    void record(Role role, Optional<PidFd> process, Fields fields) {
        fields.put(role.word(), process.map(KeptRun::idOf).orElse(""));
    }

    private static String idOf(PidFd process) {
        try {
            return process.processId().toString();
        } catch (ErrnoException e) {
            return ""; // reaped; its exit is reported soon
        }
    }

    /** Returns whether a process was recorded. */
    static boolean isRecorded(Role role, Fields fields) {
        return fields.find(role.word()).isPresent();
    }

    /**
     * Returns the recorded process, if it is found and is the same one. Normally its descriptor was
     * kept; if not, it is opened by its PID and pidfs id, which works until it is reaped.
     */
    Optional<PidFd> restored(Role role, Fields fields) {
        List<Fd> kept = survival.take(key(role));
        Optional<ProcessId> id = fields.find(role.word()).map(ProcessId::parse);
        if (id.isEmpty()) {
            kept.forEach(Fd::close);
            return Optional.empty();
        }
        OptionalLong pidfdId = id.get().pidfdId();
        for (Fd fd : kept) {
            PidFd process = PidFd.adopt(fd);
            if (pidfdId.isEmpty() || process.id() == pidfdId.getAsLong()) {
                return Optional.of(process);
            }
            process.close();
        }
        if (pidfdId.isEmpty()) {
            return Optional.empty(); // a PID alone identifies no process
        }
        try {
            return Optional.of(PidFd.open(id.get().pid(), pidfdId.getAsLong()));
        } catch (ErrnoException e) {
            return Optional.empty(); // it was reaped
        }
    }
}
