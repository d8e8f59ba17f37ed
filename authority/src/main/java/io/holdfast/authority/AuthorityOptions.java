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
 * Where an authority finds what it decides by.
 *
 * @param actionFolders of policy files, the first wins
 * @param ruleFolders of rules, in the order of polkit(8)
 * @param sessions of the users
 * @param units finds the unit of a process
 * @param temporaryLife how long an authorization is kept
 * @param ruleLimits what rules may take
 * @param stateFolder where it writes down what is to outlive it; empty: nothing outlives it
 * @param programUser whom the programs of rules run as; empty: the user of this process
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
    /** The standard folders of this machine. */
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
     * @param folders the first wins; they need not be there. {@link ActionFolders#STANDARD} by
     *     default
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
     * @param folders in order; they need not be there. {@link RuleFiles#STANDARD_FOLDERS} by
     *     default
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
     * @param others whose sessions count; those of this machine by default
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
     * @param lookup finds the unit of a process; by its cgroup, as systemd lays them out, by
     *     default
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
     * @param life of an authorization that is kept, positive; 5 minutes by default
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
     * @param limits of all rules; {@link RuleLimits#STANDARD} by default
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
     * @param folder of this authority's own, made with the mode 0700 if it is missing: temporary
     *     authorizations and agents on a bus are written down there, and an authority that is
     *     killed and started again has them. None by default
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
     * @param user whom {@code polkit.spawn} runs programs as, which needs root; the user of this
     *     process by default
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
