package io.holdfast.authority.agent;

import io.holdfast.core.process.PidFd;

/** Whom an agent is for, as authorities are told on the bus. */
public sealed interface AgentSubject {
    /**
     * All processes of a login session.
     *
     * @param id as logind numbers it
     */
    record Session(String id) implements AgentSubject {
        @Override
        public String toString() {
            return "session " + id;
        }
    }

    /**
     * One process.
     *
     * @param pidFd lent, as long as the agent is registered
     */
    record OneProcess(PidFd pidFd) implements AgentSubject {
        @Override
        public String toString() {
            return pidFd.toString();
        }
    }
}
