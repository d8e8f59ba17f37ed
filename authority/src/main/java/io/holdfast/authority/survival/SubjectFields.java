package io.holdfast.authority.survival;

import io.holdfast.authority.subject.Session;
import io.holdfast.authority.subject.Sessions;
import io.holdfast.authority.subject.Subject;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.NotSupportedException;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.process.ProcessId;
import io.holdfast.core.state.Fields;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Converts subjects to fields of a state file and back. A process is written as its PID and pidfs
 * id, and restored only if the process with that PID still has that id.
 */
final class SubjectFields {
    private static final String SESSION = ".session";
    private static final String PROCESS = ".process";
    private static final String UID = ".uid";
    private static final String ORIGIN = ".origin";
    private static final String GROUPS = ".groups";

    private SubjectFields() {}

    /**
     * Adds the fields of a subject.
     *
     * @param prefix of the names of the fields
     * @throws ErrnoException ESRCH if its process is reaped
     * @throws IllegalArgumentException if it is neither a session nor a process
     */
    static void put(Fields fields, String prefix, Subject subject) {
        Fields _ = fields.put(prefix + UID, Long.toString(subject.uid()));
        switch (subject) {
            case Subject.UnixSession session -> {
                Fields _ = fields.put(prefix + SESSION, session.id());
            }
            case Subject.UnixProcess process -> {
                Fields _ =
                        fields.put(prefix + PROCESS, name(process.pidFd()))
                                .put(prefix + ORIGIN, process.origin().name());
                process.groups()
                        .ifPresent(groups -> {
                            Fields _ = fields.put(prefix + GROUPS, joined(groups));
                        });
            }
            case Subject.BusName _ ->
                    throw new IllegalArgumentException("a connection does not outlive its bus");
        }
    }

    private static String joined(List<Long> groups) {
        return groups.stream().map(String::valueOf).collect(Collectors.joining(","));
    }

    /** Returns the text form of a process, without the boot, which is that of the file. */
    static String name(PidFd process) {
        return process.processId().inThisBoot().toString();
    }

    /**
     * Restores a subject from its fields.
     *
     * @return owned by the caller
     * @throws StaleRecordException if its session or process has ended
     * @throws IllegalArgumentException if the fields are invalid
     */
    static Subject restore(Fields fields, String prefix, Sessions sessions)
            throws StaleRecordException {
        Optional<String> session = fields.find(prefix + SESSION);
        return session.isPresent()
                ? session(session.get(), requiredNumber(fields, prefix + UID), sessions)
                : restoreProcess(fields, prefix);
    }

    private static Subject session(String id, long uid, Sessions sessions)
            throws StaleRecordException {
        if (sessions.session(id)
                .filter(found -> found.uid() == uid)
                .filter(found -> !found.isClosing())
                .map(Session::id)
                .isEmpty()) {
            throw new StaleRecordException("session " + id + " has ended");
        }
        return new Subject.UnixSession(id, uid);
    }

    /** Restores a subject that is a process, as {@link #restore}. */
    static Subject.UnixProcess restoreProcess(Fields fields, String prefix)
            throws StaleRecordException {
        long uid = requiredNumber(fields, prefix + UID);
        Subject.Origin origin = fields.word(prefix + ORIGIN, Subject.Origin.class);
        Optional<List<Long>> groups =
                fields.find(prefix + GROUPS)
                        .map(text -> Stream.of(text.split(",")).map(Long::valueOf).toList());
        PidFd process = process(required(fields, prefix + PROCESS));
        return new Subject.UnixProcess(process, uid, origin, groups);
    }

    /**
     * Holds the process of this text form by a pidfd.
     *
     * @throws StaleRecordException if it has ended, or another process has its PID
     */
    private static PidFd process(String name) throws StaleRecordException {
        ProcessId id = ProcessId.parse(name);
        if (id.pidfdId().isEmpty()) {
            throw new IllegalArgumentException("a process without its id: " + name);
        }
        PidFd process;
        try {
            process = PidFd.restore(id);
        } catch (ErrnoException | NotSupportedException e) {
            throw new StaleRecordException("process " + name + " has ended", e);
        }
        if (process.state() != PidFd.State.ALIVE) {
            process.close();
            throw new StaleRecordException("process " + name + " has ended");
        }
        return process;
    }

    static String required(Fields fields, String name) {
        return fields.find(name)
                .orElseThrow(() -> new IllegalArgumentException("it has no " + name));
    }

    static long requiredNumber(Fields fields, String name) {
        String _ = required(fields, name);
        return fields.number(name);
    }
}
