package io.holdfast.authority.subject;

import io.holdfast.core.limit.CoreLimits;
import io.holdfast.core.machine.Accounts;
import io.holdfast.core.machine.Accounts.Account;
import io.holdfast.core.machine.Accounts.Group;
import io.holdfast.core.machine.Accounts.LookupFailedException;
import io.holdfast.core.machine.Accounts.NetgroupMember;
import io.holdfast.core.machine.Accounts.UnknownAccountException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.LongSupplier;
import java.util.regex.Pattern;

/**
 * The users, groups and netgroups of this machine, as decisions need them: identified by unsigned
 * 32-bit numbers, with an answer also for a number that has no name. Nothing here defaults to root
 * except {@link #administrators}.
 *
 * <p>Answers are cached until one of the files that they depend on changes, and at most for {@link
 * #MAX_AGE}: an answer from another source of the name service switch may be that old. Thread-safe.
 * A lookup that is not cached may block, see {@link Accounts}.
 *
 * <p>A lookup that no source answers throws {@link UnavailableException}: an unknown fact must not
 * allow anything. Only {@link #administrators} reports it as a problem instead.
 */
public final class Users {
    /** The maximum number of cached answers of each kind of lookup. */
    public static final int MAX_ANSWERS = 4096;

    /** The maximum age of a cached answer: {@link CoreLimits#ACCOUNT_AGE}. */
    public static final Duration MAX_AGE = CoreLimits.ACCOUNT_AGE.duration();

    /** The files whose change invalidates all cached answers. */
    public static final List<Path> FILES =
            List.of(Path.of("/etc/passwd"), Path.of("/etc/group"), Path.of("/etc/nsswitch.conf"));

    private static final Pattern NUMBER = Pattern.compile("[0-9]{1,10}");
    private static final long NOBODY = 0xFFFF_FFFFL; // (uid_t) -1, which no user has
    private static final long ROOT = 0;

    private final Accounts accounts;
    private final AnswerCache<String, Optional<Account>> users;
    private final AnswerCache<Long, List<Long>> groups;
    private final AnswerCache<Long, List<String>> namesOfGroups; // by the uid
    private final AnswerCache<Long, String> groupNames;
    private final AnswerCache<String, Optional<Group>> groupEntries;
    private final AnswerCache<String, List<NetgroupMember>> netgroups;

    /** Makes the users of this machine. */
    public Users() {
        this(Accounts.SYSTEM, FILES, MAX_ANSWERS, MAX_AGE, System::nanoTime);
    }

    /**
     * Makes the users of this source.
     *
     * @param files a change of any of them invalidates all cached answers
     * @param maxAnswers the maximum number of cached answers of each kind of lookup
     * @param maxAge the maximum age of a cached answer
     * @param clock in nanoseconds, for the age of answers
     */
    public Users(
            Accounts accounts,
            List<Path> files,
            int maxAnswers,
            Duration maxAge,
            LongSupplier clock) {
        this.accounts = accounts;
        List<Path> watched = List.copyOf(files);
        this.users = new AnswerCache<>(maxAnswers, maxAge, () -> FileStamp.of(watched), clock);
        this.groups = new AnswerCache<>(maxAnswers, maxAge, () -> FileStamp.of(watched), clock);
        this.namesOfGroups =
                new AnswerCache<>(maxAnswers, maxAge, () -> FileStamp.of(watched), clock);
        this.groupNames = new AnswerCache<>(maxAnswers, maxAge, () -> FileStamp.of(watched), clock);
        this.groupEntries =
                new AnswerCache<>(maxAnswers, maxAge, () -> FileStamp.of(watched), clock);
        this.netgroups = new AnswerCache<>(maxAnswers, maxAge, () -> FileStamp.of(watched), clock);
    }

    /** No source of the user database answered: a decision that depends on it must refuse. */
    public static final class UnavailableException extends RuntimeException {
        private static final long serialVersionUID = 1L;

        UnavailableException(Exception cause) {
            super(cause.getMessage(), cause);
        }
    }

    /**
     * Finds a user in the database.
     *
     * @param nameOrUid digits are a uid; anything else is a name
     * @return empty if there is none
     */
    public Optional<Account> user(String nameOrUid) {
        return users.get(nameOrUid, key -> lookUp(() -> accounts.user(key)));
    }

    /**
     * Finds a user's number.
     *
     * @param nameOrUid digits are a uid, whether or not such a user exists; anything else is a name
     * @return 0 to 4294967294; empty if no user has the name, or the number is out of range
     */
    public OptionalLong uid(String nameOrUid) {
        return isNumber(nameOrUid)
                ? number(nameOrUid)
                : user(nameOrUid)
                        .map(user -> OptionalLong.of(user.uid()))
                        .orElse(OptionalLong.empty());
    }

    /** Returns a user's name, or its number if it has no name. */
    public String name(long uid) {
        String number = Long.toString(checked(uid));
        return uid == NOBODY ? number : user(number).map(Account::name).orElse(number);
    }

    /** Returns a group's name, or its number if it has no name. */
    public String groupName(long gid) {
        if (checked(gid) == NOBODY) {
            return Long.toString(gid);
        }
        return groupNames.get(
                gid, key -> lookUp(() -> accounts.groupName(key)).orElse(Long.toString(key)));
    }

    /**
     * Returns the groups of a user in the database, the primary one first.
     *
     * @return empty if the user is not in the database
     */
    public List<Long> groups(long uid) {
        if (checked(uid) == NOBODY) {
            return List.of();
        }
        return groups.get(uid, this::findGroups);
    }

    private List<Long> findGroups(long uid) {
        Optional<Account> user = user(Long.toString(uid));
        if (user.isEmpty()) {
            return List.of();
        }
        List<Long> all = new ArrayList<>();
        all.add(user.get().gid());
        all.addAll(lookUp(() -> accounts.groupsOf(user.get())).orElse(List.of()));
        return List.copyOf(all);
    }

    /** Returns the names of the same groups, or the number of a group that has no name. */
    public List<String> groupNames(long uid) {
        return namesOfGroups.get(
                checked(uid), key -> groups(key).stream().map(this::groupName).toList());
    }

    /**
     * Returns whether a user is in a netgroup, on any host and in any domain, as innetgr(3).
     *
     * @param user the user's name
     */
    public boolean isInNetgroup(String user, String netgroup) {
        for (NetgroupMember member : netgroup(netgroup)) {
            if (member.user().isEmpty() || member.user().equals(user)) {
                return true;
            }
        }
        return false;
    }

    private List<NetgroupMember> netgroup(String name) {
        return netgroups.get(name, key -> lookUp(() -> accounts.netgroup(key)).orElse(List.of()));
    }

    /**
     * Returns the users that an identity names. A group names its members, and the subject's own
     * user if it is that user's primary group; a netgroup names the users that it lists. Neither
     * ever names root.
     *
     * @param subject the uid of the subject's user
     */
    public List<Long> expand(Identity identity, long subject) {
        Set<Long> uids = new LinkedHashSet<>();
        switch (identity) {
            case Identity.User user -> uid(user.nameOrUid()).ifPresent(uids::add);
            case Identity.Group group -> {
                Optional<Group> entry = groupEntry(group.nameOrGid());
                if (entry.isPresent()) {
                    if (isPrimary(entry.get().gid(), subject)) {
                        uids.add(subject);
                    }
                    entry.get().members().forEach(name -> addMember(name, uids));
                }
                uids.remove(ROOT);
            }
            case Identity.Netgroup netgroup -> {
                for (NetgroupMember member : netgroup(netgroup.name())) {
                    addMember(member.user(), uids);
                }
                uids.remove(ROOT);
            }
        }
        return List.copyOf(uids);
    }

    private Optional<Group> groupEntry(String nameOrGid) {
        return groupEntries.get(nameOrGid, key -> lookUp(() -> accounts.groupEntry(key)));
    }

    private boolean isPrimary(long gid, long uid) {
        return checked(uid) != NOBODY
                && user(Long.toString(uid)).filter(user -> user.gid() == gid).isPresent();
    }

    private void addMember(String name, Set<Long> uids) {
        user(name).filter(user -> user.name().equals(name)).ifPresent(user -> uids.add(user.uid()));
    }

    /**
     * Returns the users who can authenticate if these identities are the administrators. An
     * identity that names no user, or cannot be looked up, is skipped and reported as a problem; if
     * no user is left, root alone.
     *
     * @param subject the uid of the subject's user
     */
    public Administrators administrators(List<Identity> identities, long subject) {
        Set<Long> uids = new LinkedHashSet<>();
        List<String> problems = new ArrayList<>();
        for (Identity identity : identities) {
            try {
                List<Long> found = expand(identity, subject);
                if (found.isEmpty()) {
                    problems.add(identity + ": matches no user");
                }
                uids.addAll(found);
            } catch (UnavailableException e) {
                problems.add(identity + ": " + e.getMessage());
            }
        }
        return new Administrators(uids.isEmpty() ? List.of(ROOT) : List.copyOf(uids), problems);
    }

    private static boolean isNumber(String text) {
        return !text.isEmpty() && text.chars().allMatch(c -> c >= '0' && c <= '9');
    }

    private static OptionalLong number(String digits) {
        return NUMBER.matcher(digits).matches() && Long.parseLong(digits) < NOBODY
                ? OptionalLong.of(Long.parseLong(digits))
                : OptionalLong.empty();
    }

    private static long checked(long id) {
        if (id < 0 || id > NOBODY) {
            throw new IllegalArgumentException("not a uid or gid: " + id);
        }
        return id;
    }

    private interface Lookup<V> {
        V find() throws UnknownAccountException, InterruptedException;
    }

    private static <V> Optional<V> lookUp(Lookup<V> lookup) {
        try {
            return Optional.of(lookup.find());
        } catch (LookupFailedException e) {
            throw new UnavailableException(e);
        } catch (UnknownAccountException e) {
            return Optional.empty();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new UnavailableException(e);
        }
    }
}
