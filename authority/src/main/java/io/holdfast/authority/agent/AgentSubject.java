package io.holdfast.authority.agent;

import io.holdfast.authority.subject.Subject;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.process.PidFd;
import io.holdfast.dbus.PolkitSubject;
import io.holdfast.dbus.wire.Struct;

/** The session or process that an agent serves, in the form that authorities read on the bus. */
public sealed interface AgentSubject {
    /**
     * Returns the subject as an argument of D-Bus calls.
     *
     * @param descriptors whether the bus passes descriptors
     * @throws ErrnoException ESRCH if the process has gone
     */
    Struct struct(boolean descriptors);

    /**
     * All processes of a login session.
     *
     * @param id logind's id of the session
     */
    record Session(String id) implements AgentSubject {
        @Override
        public Struct struct(boolean descriptors) {
            return PolkitSubject.session(id);
        }

        @Override
        public String toString() {
            return "session " + id;
        }
    }

    /**
     * A single process.
     *
     * @param pidFd lent as long as the agent is registered
     */
    record OneProcess(PidFd pidFd) implements AgentSubject {
        @Override
        public Struct struct(boolean descriptors) {
            long uid = Subject.UnixProcess.realUid(pidFd);
            return descriptors
                    ? PolkitSubject.heldAndNumbered(pidFd, uid)
                    : PolkitSubject.numbered(pidFd.pid(), pidFd.proc().startTicks(), uid);
        }

        @Override
        public String toString() {
            return pidFd.toString();
        }
    }
}
