package io.holdfast.authority.rules;

import java.util.List;
import java.util.Optional;

/**
 * What a rule may ask of a subject. Each answer is found when it is first asked for, taken from or
 * verified against the subject's pidfd, and stays the same for one evaluation. By one thread at a
 * time; may block.
 */
public interface RuleSubject {
    /**
     * The number of its process; 0 if it is none.
     *
     * @throws SubjectGoneException if the process has gone, for all of these methods: the
     *     evaluation ends with "no"
     */
    int pid();

    /** The user that it acts for: 0 to 4294967294. */
    long uid();

    /** The user's name, or its number where it has none. */
    String user();

    /** Names, or numbers of groups that have none. */
    List<String> groups();

    /** The seat of its own session; empty if it is in none, or that has none. */
    Optional<String> seat();

    /** The id of the session that it is in itself; empty if it is in none. */
    Optional<String> session();

    /**
     * Whether the session that stands for it is at this machine: its own, else the display session
     * of the user in whose slice it is. False if there is none.
     */
    boolean isLocal();

    /** Whether the user of that session is active. False if there is none. */
    boolean isActive();

    /** Empty unless the process is held and its unit could be established. */
    Optional<String> systemUnit();

    /** Empty wherever {@link #systemUnit} is. */
    Optional<Boolean> noNewPrivileges();

    /**
     * Whether a group is among {@link #groups}.
     *
     * @param group as it is called there
     */
    boolean isInGroup(String group);

    /** Whether its user is in a netgroup, whatever host and domain that says. */
    boolean isInNetGroup(String netgroup);

    /** The process that is asked about has gone. */
    final class SubjectGoneException extends RuntimeException {
        private static final long serialVersionUID = 1L;

        /**
         * @param message which process, for people
         */
        public SubjectGoneException(String message) {
            super(message);
        }
    }
}
