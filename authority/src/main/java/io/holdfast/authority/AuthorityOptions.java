package io.holdfast.authority;

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

/**
 * The configuration of an {@link AuthorityEngine}: its folders, its sources of facts and its
 * limits.
 *
 * @param actionFolders folders of policy files; the first that declares an action wins
 * @param ruleFolders folders of rules, in the order of polkit(8)
 * @param sessions the login sessions of the users
 * @param units finds the unit of a process
 * @param temporaryLife lifetime of a temporary authorization
 * @param ruleLimits the limits of rules
 * @param stateFolder where the authority records the state that a restarted authority restores;
 *     empty: no state is recorded
 * @param programUser the user that {@code polkit.spawn} runs programs as; empty: the user of this
 *     process
 */
public record AuthorityOptions(
        List<Path> actionFolders,
        List<Path> ruleFolders,
        Sessions sessions,
        UnitLookup units,
        Duration temporaryLife,
        RuleLimits ruleLimits,
        Optional<Path> stateFolder,
        Optional<ProgramUser> programUser) {
    /** The standard folders and limits, and the sessions and units of this machine. */
    public static final AuthorityOptions STANDARD =
            new AuthorityOptions(
                    ActionFolders.STANDARD,
                    RuleFiles.STANDARD_FOLDERS,
                    Sessions.ofMachine(),
                    CgroupUnits.ofMachine(),
                    Duration.ofMinutes(5),
                    RuleLimits.STANDARD,
                    Optional.empty(),
                    Optional.empty());

    /**
     * Checks the options.
     *
     * @throws IllegalArgumentException if {@code temporaryLife} is not positive
     */
    public AuthorityOptions {
        actionFolders = List.copyOf(actionFolders);
        ruleFolders = List.copyOf(ruleFolders);
        if (!temporaryLife.isPositive()) {
            throw new IllegalArgumentException("temporaryLife must be positive");
        }
    }

    /**
     * Returns a copy with these folders of policy files.
     *
     * @param folders the first that declares an action wins; a folder may be missing. {@link
     *     ActionFolders#STANDARD} by default
     */
    public AuthorityOptions withActionFolders(List<Path> folders) {
        return new AuthorityOptions(
                folders,
                ruleFolders,
                sessions,
                units,
                temporaryLife,
                ruleLimits,
                stateFolder,
                programUser);
    }

    /**
     * Returns a copy with these folders of rules.
     *
     * @param folders in the order of polkit(8); a folder may be missing. {@link
     *     RuleFiles#STANDARD_FOLDERS} by default
     */
    public AuthorityOptions withRuleFolders(List<Path> folders) {
        return new AuthorityOptions(
                actionFolders,
                folders,
                sessions,
                units,
                temporaryLife,
                ruleLimits,
                stateFolder,
                programUser);
    }

    /**
     * Returns a copy with this source of login sessions.
     *
     * @param others the sessions to use; those of this machine by default
     */
    public AuthorityOptions withSessions(Sessions others) {
        return new AuthorityOptions(
                actionFolders,
                ruleFolders,
                others,
                units,
                temporaryLife,
                ruleLimits,
                stateFolder,
                programUser);
    }

    /**
     * Returns a copy with this lookup of units.
     *
     * @param lookup finds the unit of a process; by default, by the process's cgroup in systemd's
     *     hierarchy
     */
    public AuthorityOptions withUnits(UnitLookup lookup) {
        return new AuthorityOptions(
                actionFolders,
                ruleFolders,
                sessions,
                lookup,
                temporaryLife,
                ruleLimits,
                stateFolder,
                programUser);
    }

    /**
     * Returns a copy with this lifetime of temporary authorizations.
     *
     * @param life positive; 5 minutes by default
     * @throws IllegalArgumentException if it is not positive
     */
    public AuthorityOptions withTemporaryLife(Duration life) {
        return new AuthorityOptions(
                actionFolders,
                ruleFolders,
                sessions,
                units,
                life,
                ruleLimits,
                stateFolder,
                programUser);
    }

    /**
     * Returns a copy with these limits of rules.
     *
     * @param limits of evaluations, and of what users share; {@link RuleLimits#STANDARD} by default
     */
    public AuthorityOptions withRuleLimits(RuleLimits limits) {
        return new AuthorityOptions(
                actionFolders,
                ruleFolders,
                sessions,
                units,
                temporaryLife,
                limits,
                stateFolder,
                programUser);
    }

    /**
     * Returns a copy with this state folder.
     *
     * @param folder used by this authority alone, created with mode 0700 if it is missing. The
     *     authority records temporary authorizations and agents on a bus there, and restores them
     *     after it was killed and started again. None by default
     */
    public AuthorityOptions withStateFolder(Path folder) {
        return new AuthorityOptions(
                actionFolders,
                ruleFolders,
                sessions,
                units,
                temporaryLife,
                ruleLimits,
                Optional.of(folder),
                programUser);
    }

    /**
     * Returns a copy with this user for the programs of {@code polkit.spawn}.
     *
     * @param user the user to switch to, which needs root; the user of this process by default
     */
    public AuthorityOptions withProgramUser(ProgramUser user) {
        return new AuthorityOptions(
                actionFolders,
                ruleFolders,
                sessions,
                units,
                temporaryLife,
                ruleLimits,
                stateFolder,
                Optional.of(user));
    }
}
