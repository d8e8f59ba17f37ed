package io.holdfast.manager.exec;

import io.holdfast.core.machine.Accounts;
import io.holdfast.core.machine.Accounts.Account;
import io.holdfast.core.machine.Accounts.UnknownAccountException;
import io.holdfast.core.process.privilege.UserIds;
import io.holdfast.core.sys.Unistd;
import io.holdfast.manager.unit.settings.ExecSettings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;

/**
 * The user and groups that the commands of a service run as.
 *
 * @param account of {@code User=}; empty: ours
 * @param gid of {@code Group=}, else the account's; empty: ours
 * @param groups supplementary ones, with the primary one; empty: ours are kept
 * @param isOurs whether nothing has to be changed
 */
public record UserAndGroups(
        Optional<Account> account, OptionalLong gid, Optional<List<Long>> groups, boolean isOurs) {
    public UserAndGroups {
        groups = groups.map(List::copyOf);
    }

    /**
     * Looks up users and groups. Blocking.
     *
     * @param user of {@code User=}, or the name of a dynamic user
     * @param dynamic the ids that are in no account file
     * @throws SetupException if one is unknown, or if changing to it needs root
     */
    static UserAndGroups of(
            Optional<String> user, ExecSettings settings, Accounts accounts, DynamicUser dynamic)
            throws SetupException, InterruptedException {
        Optional<Account> account = dynamic.account();
        if (account.isEmpty() && user.isPresent()) {
            try {
                account = Optional.of(accounts.user(user.get()));
            } catch (UnknownAccountException e) {
                throw new SetupException(SetupException.Step.USER, e);
            }
        }
        try {
            return ofAccount(account, settings, accounts, dynamic);
        } catch (UnknownAccountException e) {
            throw new SetupException(SetupException.Step.GROUP, e);
        }
    }

    private static OptionalLong groupOf(
            Optional<Account> account,
            ExecSettings settings,
            Accounts accounts,
            DynamicUser dynamic)
            throws UnknownAccountException, InterruptedException {
        if (dynamic.gid().isPresent()) {
            return OptionalLong.of(dynamic.gid().get().number());
        }
        boolean ofUser =
                settings.group().isEmpty()
                        || dynamic.uid().map(DynamicUids.Uid::name).equals(settings.group());
        return ofUser
                ? account.map(user -> OptionalLong.of(user.gid())).orElse(OptionalLong.empty())
                : OptionalLong.of(accounts.group(settings.group().get()));
    }

    private static UserAndGroups ofAccount(
            Optional<Account> account,
            ExecSettings settings,
            Accounts accounts,
            DynamicUser dynamic)
            throws UnknownAccountException, SetupException, InterruptedException {
        OptionalLong gid = groupOf(account, settings, accounts, dynamic);
        List<Long> more = new ArrayList<>();
        for (String name : settings.supplementaryGroups()) {
            more.add(accounts.group(name));
        }
        boolean ownUser = account.isEmpty() || account.get().uid() == Unistd.geteuid();
        boolean ownGroups = (gid.isEmpty() || gid.getAsLong() == ownGroup()) && more.isEmpty();
        if (ownUser && ownGroups) {
            return new UserAndGroups(account, gid, Optional.empty(), true);
        }
        if (Unistd.geteuid() != 0) {
            throw new SetupException(
                    ownUser ? SetupException.Step.GROUP : SetupException.Step.USER,
                    "only a manager that runs as root can start services as other users");
        }
        if (account.isEmpty() && more.isEmpty()) {
            return new UserAndGroups(account, gid, Optional.empty(), false);
        }
        Set<Long> groups = new LinkedHashSet<>();
        gid.ifPresent(groups::add);
        if (account.isPresent() && dynamic.uid().isEmpty()) {
            groups.addAll(accounts.groupsOf(account.get()));
        }
        groups.addAll(more);
        return new UserAndGroups(account, gid, Optional.of(List.copyOf(groups)), false);
    }

    /**
     * Returns our effective group. There is no getegid(2) here, but our folder in /proc has this
     * group.
     */
    private static long ownGroup() {
        try {
            return Integer.toUnsignedLong(
                    (Integer) Files.getAttribute(Path.of("/proc/thread-self"), "unix:gid"));
        } catch (IOException e) {
            return -1; // no group has it: it will be set
        }
    }

    /** {@return the user id; empty: ours} */
    public OptionalLong uid() {
        return account.map(user -> OptionalLong.of(user.uid())).orElse(OptionalLong.empty());
    }

    /** Returns the same user and group with the supplementary groups that a process has. */
    UserAndGroups withGroupsKept() {
        return new UserAndGroups(account, gid, Optional.empty(), isOurs);
    }

    /**
     * {@return the options by which setpriv(1) changes to it; none if nothing has to be changed}
     */
    List<String> options() {
        return isOurs ? List.of() : new UserIds(uid(), gid, groups).options();
    }
}
