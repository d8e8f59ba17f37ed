package io.holdfast.authority;

import io.holdfast.authority.action.ActionFolders;
import io.holdfast.authority.rules.RuleFiles;
import io.holdfast.authority.rules.RuleLimits;
import io.holdfast.authority.subject.CgroupUnits;
import io.holdfast.authority.subject.Sessions;
import io.holdfast.authority.subject.UnitLookup;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/**
 * Where an authority finds what it decides by.
 *
 * @param actionFolders of policy files, the first wins
 * @param ruleFolders of rules, in the order of polkit(8)
 * @param sessions of the users
 * @param units finds the unit of a process
 * @param temporaryLife how long an authorization is kept
 * @param ruleLimits what rules may take
 */
public record AuthorityOptions(
        List<Path> actionFolders,
        List<Path> ruleFolders,
        Sessions sessions,
        UnitLookup units,
        Duration temporaryLife,
        RuleLimits ruleLimits) {
    /** The standard folders of this machine. */
    public static final AuthorityOptions STANDARD =
            new AuthorityOptions(
                    ActionFolders.STANDARD,
                    RuleFiles.STANDARD_FOLDERS,
                    Sessions.ofMachine(),
                    CgroupUnits.ofMachine(),
                    Duration.ofMinutes(5),
                    RuleLimits.STANDARD);

    public AuthorityOptions {
        actionFolders = List.copyOf(actionFolders);
        ruleFolders = List.copyOf(ruleFolders);
        if (!temporaryLife.isPositive()) {
            throw new IllegalArgumentException("temporaryLife must be positive");
        }
    }

    public AuthorityOptions withActionFolders(List<Path> folders) {
        return new AuthorityOptions(
                folders, ruleFolders, sessions, units, temporaryLife, ruleLimits);
    }

    public AuthorityOptions withRuleFolders(List<Path> folders) {
        return new AuthorityOptions(
                actionFolders, folders, sessions, units, temporaryLife, ruleLimits);
    }

    public AuthorityOptions withSessions(Sessions others) {
        return new AuthorityOptions(
                actionFolders, ruleFolders, others, units, temporaryLife, ruleLimits);
    }

    public AuthorityOptions withUnits(UnitLookup lookup) {
        return new AuthorityOptions(
                actionFolders, ruleFolders, sessions, lookup, temporaryLife, ruleLimits);
    }

    public AuthorityOptions withTemporaryLife(Duration life) {
        return new AuthorityOptions(actionFolders, ruleFolders, sessions, units, life, ruleLimits);
    }

    public AuthorityOptions withRuleLimits(RuleLimits limits) {
        return new AuthorityOptions(
                actionFolders, ruleFolders, sessions, units, temporaryLife, limits);
    }
}
