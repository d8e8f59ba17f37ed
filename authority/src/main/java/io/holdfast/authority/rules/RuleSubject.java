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
     * @throws SubjectGoneException if the process has gone, for all of these methods: the
     *     evaluation ends with "no"
     */
    int pid();

    long uid();

    /** The user's name, or its number where it has none. */
    String user();

    /** Names, or numbers of groups that have none. */
    List<String> groups();

    Optional<String> seat();

    Optional<String> session();

    boolean isLocal();

    boolean isActive();

    /** Empty unless the process is held and its unit could be established. */
    Optional<String> systemUnit();

    /** Empty wherever {@link #systemUnit} is. */
    Optional<Boolean> noNewPrivileges();

    boolean isInGroup(String group);

    boolean isInNetGroup(String netgroup);

    /** The process that is asked about has gone. */
    final class SubjectGoneException extends RuntimeException {
        private static final long serialVersionUID = 1L;

        public SubjectGoneException(String message) {
            super(message);
        }
    }
}
