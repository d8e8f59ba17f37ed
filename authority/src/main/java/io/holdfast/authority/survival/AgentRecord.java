package io.holdfast.authority.survival;

import io.holdfast.authority.subject.Sessions;
import io.holdfast.authority.subject.Subject;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.state.Fields;

/**
 * The record of an authentication agent: its address on the bus, and its process.
 *
 * @param record the name of the record
 * @param address valid as long as the agent's connection and its bus live
 * @param process the process that registered the agent, as {@code PID:ID}
 * @param path the path of its D-Bus object
 * @param scope the fields of the subject that it serves
 */
public record AgentRecord(
        String record,
        AgentAddress address,
        String process,
        String path,
        String locale,
        boolean fallback,
        Fields scope) {
    private static final String SCOPE = "scope";

    /**
     * Makes the record of an agent on a bus.
     *
     * @param record a name that no other record has
     * @param process the process that registered the agent
     * @param scope the session or process that it serves
     * @throws io.holdfast.core.ErrnoException ESRCH if the process, or that of the scope, is reaped
     */
    public static AgentRecord of(
            String record,
            AgentAddress address,
            PidFd process,
            Subject scope,
            String path,
            String locale,
            boolean fallback) {
        Fields fields = new Fields();
        SubjectFields.put(fields, SCOPE, scope);
        return new AgentRecord(
                record, address, SubjectFields.name(process), path, locale, fallback, fields);
    }

    Fields fields() {
        return Fields.parse(scope.toString())
                .put("bus", address.bus())
                .put("name", address.uniqueName())
                .put("process", process)
                .put("path", path)
                .put("locale", locale)
                .put("fallback", fallback);
    }

    static AgentRecord restore(String record, Fields fields) {
        return new AgentRecord(
                record,
                new AgentAddress(
                        SubjectFields.required(fields, "bus"),
                        SubjectFields.required(fields, "name")),
                SubjectFields.required(fields, "process"),
                SubjectFields.required(fields, "path"),
                fields.text("locale"),
                fields.is("fallback"),
                fields);
    }

    /** Returns whether this process registered the agent. */
    public boolean isOf(PidFd other) {
        return SubjectFields.name(other).equals(process);
    }

    /**
     * Restores the subject that the agent serves.
     *
     * @return owned by the caller
     * @throws IllegalArgumentException if the subject has ended, or the fields are invalid
     */
    public Subject restoreScope(Sessions sessions) {
        try {
            return SubjectFields.restore(scope, SCOPE, sessions);
        } catch (StaleRecordException e) {
            throw new IllegalArgumentException(e.getMessage(), e);
        }
    }
}
