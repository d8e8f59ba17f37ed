package io.holdfast.authority.survival;

import io.holdfast.authority.subject.Sessions;
import io.holdfast.authority.subject.Subject;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.state.Fields;

/**
 * An authentication agent as it is written down: where it is on its bus, and which process it is.
 *
 * @param record the name of its record
 * @param address where it can be found as long as it and its bus live
 * @param process that has registered it, as {@code PID:ID}
 * @param path of its object
 * @param scope the fields of the subject for whom it asks
 */
public record KeptAgent(
        String record,
        AgentAddress address,
        String process,
        String path,
        String locale,
        boolean fallback,
        Fields scope) {
    private static final String SCOPE = "scope";

    /**
     * An agent on a bus, from now on.
     *
     * @param record a name that no other record has
     * @param process that has registered it
     * @param scope for whom it asks
     * @throws io.holdfast.core.ErrnoException ESRCH if the process, or that of the scope, is reaped
     */
    public static KeptAgent of(
            String record,
            AgentAddress address,
            PidFd process,
            Subject scope,
            String path,
            String locale,
            boolean fallback) {
        Fields fields = new Fields();
        SubjectFields.put(fields, SCOPE, scope);
        return new KeptAgent(
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

    static KeptAgent restore(String record, Fields fields) {
        return new KeptAgent(
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

    /** Whether that process is the one that has registered it. */
    public boolean isOf(PidFd other) {
        return SubjectFields.name(other).equals(process);
    }

    /**
     * For whom it asks, held again.
     *
     * @return owned by the caller
     * @throws IllegalArgumentException if that has ended, or these are not the fields of it
     */
    public Subject restoreScope(Sessions sessions) {
        try {
            return SubjectFields.restore(scope, SCOPE, sessions);
        } catch (LostException e) {
            throw new IllegalArgumentException(e.getMessage(), e);
        }
    }
}
