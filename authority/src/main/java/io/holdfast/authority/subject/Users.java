package io.holdfast.authority.subject;

import io.holdfast.core.limit.CoreLimits;
import io.holdfast.core.machine.Accounts;
import io.holdfast.core.machine.Accounts.Account;
import io.holdfast.core.machine.Accounts.Group;
import io.holdfast.core.machine.Accounts.NetgroupMember;
import io.holdfast.core.machine.Accounts.UnansweredException;
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
 * The users, groups and netgroups of this machine as decisions need them: by number, which is 32
 * bits without a sign, and with an answer for those that have no name. Nothing here defaults to
 * root but {@link #administrators}.
 *
 * <p>Answers are kept until one of the files that they hang on changes, {@link #MAX_AGE} at most:
 * what another source of the name service switch says may be as old as that. Safe for use by any
 * thread. A question of which no answer is kept may block, as {@link Accounts} says.
 *
 * <p>Where nobody answers, all methods throw {@link UnavailableException}: not to know is no reason
 * to allow anything.
 */
public final class Users {
    /** Answers that are kept of each kind of question. */
    public static final int MAX_ANSWERS = 4096;

    /** How old an answer may be: {@link CoreLimits#ACCOUNT_AGE}. */
    public static final Duration MAX_AGE = CoreLimits.ACCOUNT_AGE.duration();

    /** Files whose change ends all answers. */
    public static final List<Path> FILES =
            List.of(Path.of("/etc/passwd"), Path.of("/etc/group"), Path.of("/etc/nsswitch.conf"));

    private static final Pattern NUMBER = Pattern.compile("[0-9]{1,10}");
    private static final long NOBODY = 0xFFFF_FFFFL; // (uid_t) -1, of nobody
    private static final long ROOT = 0;

    private final Accounts accounts;
    private final AnswerCache<String, Optional<Account>> users;
    private final AnswerCache<Long, List<Long>> groups;
    private final AnswerCache<Long, List<String>> namesOfGroups; // by the uid
    private final AnswerCache<Long, String> groupNames;
    private final AnswerCache<String, Optional<Group>> groupEntries;
    private final AnswerCache<String, List<NetgroupMember>> netgroups;

    /** Those of the machine that we are on. */
    public Users() {
        this(Accounts.SYSTEM, FILES, MAX_ANSWERS, MAX_AGE, System::nanoTime);
    }

    /**
     * @param files whose change ends all answers
     * @param maxAnswers that are kept of each kind of question
     * @param clock in nanoseconds, by which they age
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

    /** Nobody could be asked who somebody is: whatever hangs on it is to be refused. */
    public static final class UnavailableException extends RuntimeException {
        private static final long serialVersionUID = 1L;

        UnavailableException(Exception cause) {
            super(cause.getMessage(), cause);
        }
    }

    /**
     * A user with an entry.
     *
     * @param nameOrUid digits are a number, all else is a name
     * @return empty if there is none
     */
    public Optional<Account> user(String nameOrUid) {
        return users.get(nameOrUid, key -> ask(() -> accounts.user(key)));
    }

    /**
     * A user's number.
     *
     * @param nameOrUid digits are a number, be there such a user or not; all else is a name
     * @return 0 to 4294967294; empty if no user has the name, or none can have the number
     */
    public OptionalLong uid(String nameOrUid) {
        return isNumber(nameOrUid)
                ? number(nameOrUid)
                : user(nameOrUid)
                        .map(user -> OptionalLong.of(user.uid()))
                        .orElse(OptionalLong.empty());
    }

    /** A user's name, or its number where it has none. */
    public String name(long uid) {
        String number = Long.toString(checked(uid));
        return uid == NOBODY ? number : user(number).map(Account::name).orElse(number);
    }

    /** A group's name, or its number where it has none. */
    public String groupName(long gid) {
        if (checked(gid) == NOBODY) {
            return Long.toString(gid);
        }
        return groupNames.get(
                gid, key -> ask(() -> accounts.groupName(key)).orElse(Long.toString(key)));
    }

    /**
     * The groups of a user as the database has them, the primary one first.
     *
     * @return none if it is not in the database
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
        all.addAll(ask(() -> accounts.groupsOf(user.get())).orElse(List.of()));
        return List.copyOf(all);
    }

    /** The same by their names, or numbers of those that have none. */
    public List<String> groupNames(long uid) {
        return namesOfGroups.get(
                checked(uid), key -> groups(key).stream().map(this::groupName).toList());
    }

    /**
     * Whether a user is in a netgroup, on whatever host and in whatever domain, as innetgr(3).
     *
     * @param user its name
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
        return netgroups.get(name, key -> ask(() -> accounts.netgroup(key)).orElse(List.of()));
    }

    /**
     * The users whom an identity stands for. A group stands for its members, and for the subject's
     * own user where it is that one's primary group; a netgroup for the users that it lists. Root
     * is a member of neither.
     *
     * @param subject the uid of the user who is asked about
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
        return groupEntries.get(nameOrGid, key -> ask(() -> accounts.groupEntry(key)));
    }

    private boolean isPrimary(long gid, long uid) {
        return checked(uid) != NOBODY
                && user(Long.toString(uid)).filter(user -> user.gid() == gid).isPresent();
    }

    private void addMember(String name, Set<Long> uids) {
        user(name).filter(user -> user.name().equals(name)).ifPresent(user -> uids.add(user.uid()));
    }

    /**
     * The users who can authenticate where these identities are the administrators: those whom they
     * stand for, without identities that stand for nobody or that nobody can tell of; root alone
     * where none is left.
     *
     * @param subject the uid of the user who is asked about
     */
    public Administrators administrators(List<Identity> identities, long subject) {
        Set<Long> uids = new LinkedHashSet<>();
        List<String> problems = new ArrayList<>();
        for (Identity identity : identities) {
            try {
                List<Long> found = expand(identity, subject);
                if (found.isEmpty()) {
                    problems.add(identity + " stands for nobody");
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

    private static <V> Optional<V> ask(Lookup<V> lookup) {
        try {
            return Optional.of(lookup.find());
        } catch (UnansweredException e) {
            throw new UnavailableException(e);
        } catch (UnknownAccountException e) {
            return Optional.empty();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new UnavailableException(e);
        }
    }
}
