package io.holdfast.authority;

import com.google.errorprone.annotations.CheckReturnValue;
import io.holdfast.authority.action.ActionFolders;
import io.holdfast.authority.rules.ProgramUser;
import io.holdfast.authority.rules.RuleFiles;
import io.holdfast.authority.rules.RuleLimits;
import io.holdfast.authority.subject.CgroupUnits;
import io.holdfast.authority.subject.Sessions;
import io.holdfast.authority.subject.UnitLookup;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * The options of an {@link AuthorityEngine}: its folders, its sources of facts and its limits.
 * Immutable.
 */
@CheckReturnValue
public final class AuthorityOptions implements Cloneable {
    private static final AuthorityOptions STANDARD = new AuthorityOptions();

    // Changed only by with(), before anybody else sees the object.
    List<Path> actionFolders = ActionFolders.STANDARD;
    List<Path> ruleFolders = RuleFiles.STANDARD_FOLDERS;
    Sessions sessions = Sessions.ofMachine();
    UnitLookup units = CgroupUnits.ofMachine();
    Duration temporaryLife = Duration.ofMinutes(5);
    RuleLimits ruleLimits = RuleLimits.standard();
    Optional<Path> stateFolder = Optional.empty();
    Optional<ProgramUser> programUser = Optional.empty();

    private AuthorityOptions() {}

    /** Returns the standard folders and limits, and the sessions and units of this machine. */
    public static AuthorityOptions standard() {
        return STANDARD;
    }

    /**
     * Returns the same options with other folders of policy files.
     *
     * @param folders the first that declares an action wins; a folder may be missing. {@link
     *     ActionFolders#STANDARD} by default
     */
    public AuthorityOptions withActionFolders(List<Path> folders) {
        List<Path> copy = List.copyOf(folders);
        return with(options -> options.actionFolders = copy);
    }

    /**
     * Returns the same options with other folders of rules.
     *
     * @param folders in the order of polkit(8); a folder may be missing. {@link
     *     RuleFiles#STANDARD_FOLDERS} by default
     */
    public AuthorityOptions withRuleFolders(List<Path> folders) {
        List<Path> copy = List.copyOf(folders);
        return with(options -> options.ruleFolders = copy);
    }

    /**
     * Returns the same options with another source of login sessions.
     *
     * @param others the sessions to use; those of this machine by default
     */
    public AuthorityOptions withSessions(Sessions others) {
        return with(options -> options.sessions = others);
    }

    /**
     * Returns the same options with another lookup of units.
     *
     * @param lookup finds the unit of a process; by default, by the process's cgroup in systemd's
     *     hierarchy
     */
    public AuthorityOptions withUnits(UnitLookup lookup) {
        return with(options -> options.units = lookup);
    }

    /**
     * Returns the same options with another lifetime of temporary authorizations.
     *
     * @param life positive; 5 minutes by default
     * @throws IllegalArgumentException if it is not positive
     */
    public AuthorityOptions withTemporaryLife(Duration life) {
        if (!life.isPositive()) {
            throw new IllegalArgumentException("temporaryLife must be positive");
        }
        return with(options -> options.temporaryLife = life);
    }

    /**
     * Returns the same options with other limits of rules.
     *
     * @param limits of evaluations, and of what users share; {@link RuleLimits#standard} by default
     */
    public AuthorityOptions withRuleLimits(RuleLimits limits) {
        return with(options -> options.ruleLimits = limits);
    }

    /**
     * Returns the same options with a state folder.
     *
     * @param folder used by this authority alone, created with mode 0700 if it is missing. The
     *     authority records temporary authorizations and agents on a bus there, and restores them
     *     after it was killed and started again. None by default
     */
    public AuthorityOptions withStateFolder(Path folder) {
        return with(options -> options.stateFolder = Optional.of(folder));
    }

    /**
     * Returns the same options with a user for the programs of {@code polkit.spawn}.
     *
     * @param user the user to switch to, which needs root; the user of this process by default
     */
    public AuthorityOptions withProgramUser(ProgramUser user) {
        return with(options -> options.programUser = Optional.of(user));
    }

    private AuthorityOptions with(Consumer<AuthorityOptions> change) {
        try {
            AuthorityOptions copy = (AuthorityOptions) clone();
            change.accept(copy);
            return copy;
        } catch (CloneNotSupportedException e) {
            throw new AssertionError(e);
        }
    }
}
