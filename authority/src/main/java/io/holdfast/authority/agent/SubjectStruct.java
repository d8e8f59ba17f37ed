package io.holdfast.authority.agent;

import io.holdfast.core.linux.Errno;
import io.holdfast.core.linux.ErrnoException;
import io.holdfast.core.process.Credentials;
import io.holdfast.core.process.PidFd;
import io.holdfast.dbus.wire.Struct;
import io.holdfast.dbus.wire.Variant;
import java.util.LinkedHashMap;
import java.util.Map;

/** Subjects as authorities are told them: {@code (sa{sv})}, a descriptor in place of its handle. */
final class SubjectStruct {
    private SubjectStruct() {}

    /**
     * Of whom an agent is for.
     *
     * @param descriptors whether the bus passes them
     * @throws ErrnoException ESRCH if the process has gone
     */
    static Struct of(AgentSubject subject, boolean descriptors) {
        return switch (subject) {
            case AgentSubject.Session(String id) ->
                    Struct.of("unix-session", Map.of("session-id", Variant.of(id)));
            case AgentSubject.OneProcess(PidFd pidFd) ->
                    ofProcess(pidFd, realUid(pidFd), descriptors);
        };
    }

    private static long realUid(PidFd pidFd) {
        return pidFd.info()
                .credentials()
                .map(Credentials::realUid)
                .orElseThrow(
                        () -> new ErrnoException("PIDFD_GET_INFO", pidFd.toString(), Errno.ESRCH));
    }

    /**
     * A process by its pidfd and its user, which is what counts; by number and start time for
     * authorities before polkit 124.
     */
    static Struct ofProcess(PidFd pidFd, long realUid, boolean descriptors) {
        Map<String, Object> details = new LinkedHashMap<>();
        details.put("pid", Variant.of("u", pidFd.pid()));
        details.put("start-time", Variant.of("t", pidFd.proc().startTicks()));
        details.put("uid", Variant.of("i", (int) realUid)); // its 32 bits
        if (descriptors) {
            details.put("pidfd", Variant.of("h", pidFd.fd()));
        }
        return Struct.of("unix-process", details);
    }
}
