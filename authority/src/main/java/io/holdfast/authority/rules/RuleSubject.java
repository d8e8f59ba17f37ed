package io.holdfast.authority.rules;

import java.util.List;
import java.util.Optional;

/**
 * The facts about a subject that rules can use. Each is looked up at its first use, taken from or
 * verified against the subject's pidfd, and stays the same for one evaluation. Used by one thread
 * at a time; may block.
 */
public interface RuleSubject {
    /**
     * Returns the PID of the subject's process; 0 if it has none.
     *
     * @throws SubjectGoneException if the process has gone; this holds for all methods, and ends
     *     the evaluation with "no"
     */
    int pid();

    /** Returns the user for whom the subject acts: 0 to 4294967294. */
    long uid();

    /** Returns the user's name, or the number of a user without a name. */
    String user();

    /** Returns the names of the subject's groups, or the number of a group without a name. */
    List<String> groups();

    /** Returns the seat of the subject's own session; empty without a session or a seat. */
    Optional<String> seat();

    /** Returns the id of the session that the subject itself is in; empty if it is in none. */
    Optional<String> session();

    /**
     * Returns whether the session that stands for the subject is at this machine: its own session,
     * else the display session of the user in whose slice it is. False if there is none.
     */
    boolean isLocal();

    /** Returns whether the user of that session is active. False if there is none. */
    boolean isActive();

    /** Returns the subject's unit; empty unless its process is held and the unit is certain. */
    Optional<String> systemUnit();

    /** Returns whether the unit sets NoNewPrivileges; empty if {@link #systemUnit} is. */
    Optional<Boolean> noNewPrivileges();

    /**
     * Returns whether a group is among {@link #groups}.
     *
     * @param group its name as in {@link #groups}
     */
    boolean isInGroup(String group);

    /** Returns whether the subject's user is in a netgroup, on any host and in any domain. */
    boolean isInNetGroup(String netgroup);

    /** The subject's process has gone. */
    final class SubjectGoneException extends RuntimeException {
        private static final long serialVersionUID = 1L;

        /**
         * Makes an exception.
         *
         * @param message names the process, for people
         */
        public SubjectGoneException(String message) {
            super(message);
        }
    }
}
