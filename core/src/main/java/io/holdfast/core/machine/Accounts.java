package io.holdfast.core.machine;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.Signal;
import io.holdfast.core.limit.CoreLimits;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.Exit;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.process.Stdio;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The users and groups of this machine: first those of {@code /etc/passwd} and {@code /etc/group},
 * then those of the name service switch, by {@code getent(1)}. Nothing is cached between lookups.
 * Every method may block while {@code getent} runs, for 15 s at most ({@code
 * io.holdfast.accountTimeout}, milliseconds). Safe for use by any thread.
 */
public final class Accounts {
    /** The users and groups of the running system. */
    public static final Accounts SYSTEM =
            new Accounts(
                    Path.of("/etc/passwd"),
                    Path.of("/etc/group"),
                    "getent",
                    CoreLimits.ACCOUNT_TIMEOUT.duration());

    /** The maximum bytes of {@code getent}'s output; more is a {@link LookupFailedException}. */
    public static final int MAX_ANSWER = 1 << 20;

    private static final Pattern NUMBER = Pattern.compile("[0-9]{1,10}");
    private static final Pattern DIGITS = Pattern.compile("[0-9]+");

    // fields of an entry
    private static final int NAME = 0;
    private static final int ID = 2;
    private static final Pattern NETGROUP_MEMBER =
            Pattern.compile("\\(([^,()]*),([^,()]*),([^,()]*)\\)");
    private static final long MAX_ID = 0xFFFF_FFFEL; // the one above stands for "none"

    private final Path passwd;
    private final Path group;
    private final String getent;
    private final Duration timeout;

    /**
     * Makes a database of two files and a program.
     *
     * @param passwd the file of users, as in passwd(5)
     * @param group the file of groups, as in group(5)
     * @param getent the program that looks up entries that the files do not have
     * @param timeout how long that program may take
     */
    public Accounts(Path passwd, Path group, String getent, Duration timeout) {
        this.passwd = passwd;
        this.group = group;
        this.getent = getent;
        this.timeout = timeout;
    }

    /**
     * A user.
     *
     * @param uid the user id
     * @param gid the id of the primary group
     * @param home the home directory, may be empty
     * @param shell the login shell, may be empty
     */
    public record Account(String name, long uid, long gid, String home, String shell) {}

    /**
     * A group.
     *
     * @param gid the group id
     * @param members the names of the users that its entry lists; users whose primary group it is
     *     need not be among them
     */
    public record Group(String name, long gid, List<String> members) {
        /** Copies the members. */
        public Group {
            members = List.copyOf(members);
        }
    }

    /**
     * A member of a netgroup, as in netgroup(5). Each part is empty if any value matches, and
     * {@code -} if none does.
     *
     * @param host the host, empty for any
     * @param user the user, empty for any
     * @param domain the domain, empty for any
     */
    public record NetgroupMember(String host, String user, String domain) {}

    /** Thrown when there is no such user or group, or when the lookup failed. */
    public static sealed class UnknownAccountException extends Exception {
        private static final long serialVersionUID = 1L;

        /**
         * Makes the exception.
         *
         * @param message names the missing entry, on one line
         */
        public UnknownAccountException(String message) {
            super(message);
        }
    }

    /** Thrown when the lookup failed, so that it is unknown whether there is such an entry. */
    public static final class LookupFailedException extends UnknownAccountException {
        private static final long serialVersionUID = 1L;

        /**
         * Makes the exception.
         *
         * @param message names the entry and the reason of the failure, on one line
         */
        public LookupFailedException(String message) {
            super(message);
        }
    }

    /**
     * Looks up a user.
     *
     * @param nameOrUid the user: digits are a uid, any other text is a name
     * @return the user
     * @throws UnknownAccountException if there is none
     */
    public Account user(String nameOrUid) throws UnknownAccountException, InterruptedException {
        return find("passwd", passwd, "user", nameOrUid, Accounts::account);
    }

    /**
     * Looks up a user by name, even if the name consists of digits.
     *
     * @return the user
     * @throws UnknownAccountException if there is none
     */
    public Account userNamed(String name) throws UnknownAccountException, InterruptedException {
        return named("passwd", passwd, "user", name, Accounts::account);
    }

    /**
     * {@return the gid of a group that is looked up by name, even if the name consists of digits}
     *
     * @throws UnknownAccountException if there is none
     */
    public long groupNamed(String name) throws UnknownAccountException, InterruptedException {
        return named("group", group, "group", name, Accounts::groupId);
    }

    /**
     * {@return the user of a name or uid, if there is one}
     *
     * @param nameOrUid the user: digits are a uid, any other text is a name
     * @throws UnknownAccountException if the text is not a valid name, or the lookup failed
     */
    public Optional<Account> findUser(String nameOrUid)
            throws UnknownAccountException, InterruptedException {
        return lookUp("passwd", passwd, "user", nameOrUid, Accounts::account);
    }

    /**
     * {@return the gid of the group of a name or gid, if there is one}
     *
     * @param nameOrGid the group: digits are a gid, any other text is a name
     * @throws UnknownAccountException if the text is not a valid name, or the lookup failed
     */
    public Optional<Long> findGroup(String nameOrGid)
            throws UnknownAccountException, InterruptedException {
        return lookUp("group", group, "group", nameOrGid, Accounts::groupId);
    }

    /**
     * Looks up a group.
     *
     * @param nameOrGid a gid, which need not be in the database, or a name
     * @return the gid
     * @throws UnknownAccountException if there is none
     */
    public long group(String nameOrGid) throws UnknownAccountException, InterruptedException {
        Optional<Long> number = id(nameOrGid);
        return number.isPresent()
                ? number.get()
                : find("group", group, "group", nameOrGid, Accounts::groupId);
    }

    /**
     * {@return the supplementary groups of a user, without the primary one}
     *
     * @throws UnknownAccountException if the lookup failed
     */
    public List<Long> groupsOf(Account user) throws UnknownAccountException, InterruptedException {
        List<Long> groups = new ArrayList<>();
        for (String line : runGetent("initgroups", user.name())) { // "redis  110 1000"
            String[] fields = line.strip().split("\\s+");
            for (int i = 1; i < fields.length; i++) {
                id(fields[i])
                        .filter(gid -> gid != user.gid() && !groups.contains(gid))
                        .ifPresent(groups::add);
            }
        }
        return groups;
    }

    /**
     * {@return the name of a group}
     *
     * @param gid the group id
     * @throws UnknownAccountException if there is no such group
     */
    public String groupName(long gid) throws UnknownAccountException, InterruptedException {
        return find("group", group, "group", Long.toString(gid), Accounts::groupEntry).name();
    }

    /**
     * {@return the entry of a group with its members, from the name service switch, which may merge
     * the members of several sources}
     *
     * @param nameOrGid the group: digits are a gid, any other text is a name
     * @throws UnknownAccountException if there is none
     */
    public Group groupEntry(String nameOrGid) throws UnknownAccountException, InterruptedException {
        checkName("group", nameOrGid);
        int field = NUMBER.matcher(nameOrGid).matches() ? ID : NAME;
        Stream<String> lines = runGetent("group", nameOrGid).stream();
        return firstOf(lines, field, nameOrGid, Accounts::groupEntry)
                .orElseThrow(() -> new UnknownAccountException("no such group: " + nameOrGid));
    }

    /**
     * {@return the members of a netgroup, with those of netgroups in it; none if there is no such
     * netgroup}
     *
     * @throws UnknownAccountException if the text is not a valid name, or the lookup failed
     */
    public List<NetgroupMember> netgroup(String name)
            throws UnknownAccountException, InterruptedException {
        checkName("netgroup", name);
        List<NetgroupMember> members = new ArrayList<>();
        for (String line : runGetent("netgroup", name)) { // "lab    (,ada,) (host,-,example.org)"
            Matcher matcher = NETGROUP_MEMBER.matcher(line);
            while (matcher.find()) {
                members.add(
                        new NetgroupMember(
                                matcher.group(1).strip(),
                                matcher.group(2).strip(),
                                matcher.group(3).strip()));
            }
        }
        return members;
    }

    /** Converts the fields of a line; empty if they are not a valid entry. */
    private interface Entry<E> {
        Optional<E> of(String[] fields);
    }

    private <E> E find(String database, Path file, String kind, String key, Entry<E> entry)
            throws UnknownAccountException, InterruptedException {
        return lookUp(database, file, kind, key, entry)
                .orElseThrow(() -> new UnknownAccountException("no such " + kind + ": " + key));
    }

    private <E> Optional<E> lookUp(
            String database, Path file, String kind, String key, Entry<E> entry)
            throws UnknownAccountException, InterruptedException {
        checkName(kind, key);
        int field = NUMBER.matcher(key).matches() ? ID : NAME;
        Optional<E> found = inFile(file, field, key, entry);
        return found.isPresent()
                ? found
                : firstOf(runGetent(database, key).stream(), field, key, entry);
    }

    private <E> E named(String database, Path file, String kind, String name, Entry<E> entry)
            throws UnknownAccountException, InterruptedException {
        checkName(kind, name);
        Optional<E> found = inFile(file, NAME, name, entry);
        if (found.isEmpty() && !DIGITS.matcher(name).matches()) { // getent takes them for a number
            found = firstOf(runGetent(database, name).stream(), NAME, name, entry);
        }
        return found.orElseThrow(
                () -> new UnknownAccountException("no such " + kind + ": " + name));
    }

    private static void checkName(String kind, String key) throws UnknownAccountException {
        if (key.isEmpty()
                || key.startsWith("-")
                || key.chars().anyMatch(c -> c <= ' ' || c == ':')) {
            throw new UnknownAccountException("not the name of a " + kind + ": \"" + key + "\"");
        }
    }

    private static <E> Optional<E> inFile(Path file, int field, String key, Entry<E> entry) {
        try (BufferedReader lines =
                new BufferedReader(new InputStreamReader(Files.newInputStream(file), UTF_8))) {
            return firstOf(lines.lines(), field, key, entry);
        } catch (IOException | UncheckedIOException e) {
            return Optional.empty(); // no readable file: getent decides
        }
    }

    private static <E> Optional<E> firstOf(
            Stream<String> lines, int field, String key, Entry<E> entry) {
        return lines.map(line -> line.split(":", -1))
                .filter(fields -> fields.length > field && fields[field].equals(key))
                .flatMap(fields -> entry.of(fields).stream())
                .findFirst();
    }

    private static Optional<Account> account(String[] fields) {
        if (fields.length < 7) {
            return Optional.empty();
        }
        Optional<Long> uid = id(fields[2]);
        Optional<Long> gid = id(fields[3]);
        return uid.isPresent() && gid.isPresent()
                ? Optional.of(new Account(fields[0], uid.get(), gid.get(), fields[5], fields[6]))
                : Optional.empty();
    }

    private static Optional<Long> groupId(String[] fields) {
        return fields.length < 3 ? Optional.empty() : id(fields[2]);
    }

    private static Optional<Group> groupEntry(String[] fields) {
        return groupId(fields)
                .map(gid ->
                        new Group(
                                fields[0],
                                gid,
                                fields.length < 4
                                        ? List.of()
                                        : Stream.of(fields[3].split(",", -1))
                                                .filter(name -> !name.isEmpty())
                                                .toList()));
    }

    private static Optional<Long> id(String text) {
        return NUMBER.matcher(text).matches() && Long.parseLong(text) <= MAX_ID
                ? Optional.of(Long.parseLong(text))
                : Optional.empty();
    }

    /** Runs getent and returns its lines; none if it does not know the key. */
    private List<String> runGetent(String database, String key)
            throws UnknownAccountException, InterruptedException {
        Spawn spawn =
                Spawn.of(getent, database, key)
                        .stdin(Stdio.devNull())
                        .stdout(Stdio.pipe())
                        .stderr(Stdio.devNull());
        try (Child child = spawn.start()) {
            try {
                return output(child).lines().toList();
            } catch (TimeoutException e) {
                throw lookupFailed(database, key, "no end within " + timeout.toMillis() + " ms");
            } catch (ExecutionException e) {
                throw lookupFailed(database, key, String.valueOf(e.getCause()));
            } finally {
                boolean ignored = child.signal(Signal.KILL);
            }
        } catch (ErrnoException e) {
            throw lookupFailed(database, key, String.valueOf(e.getMessage()));
        }
    }

    /** Returns the output of getent if it exits with status 0, otherwise an empty text. */
    private String output(Child child)
            throws InterruptedException, ExecutionException, TimeoutException {
        long deadline = System.nanoTime() + timeout.toNanos();
        FutureTask<byte[]> reading =
                new FutureTask<>(() -> child.stdout().readNBytes(MAX_ANSWER + 1));
        Thread.startVirtualThread(reading);
        byte[] bytes = reading.get(timeout.toNanos(), TimeUnit.NANOSECONDS);
        if (bytes.length > MAX_ANSWER) {
            throw new ExecutionException(new IOException("more than " + MAX_ANSWER + " bytes"));
        }
        Exit exit =
                child.await(Duration.ofNanos(Math.max(0, deadline - System.nanoTime())))
                        .orElseThrow(TimeoutException::new);
        if (!(exit instanceof Exit.Exited)) {
            throw new ExecutionException(new IOException(exit.toString()));
        }
        return exit.isSuccess() ? new String(bytes, UTF_8) : "";
    }

    private LookupFailedException lookupFailed(String database, String key, String why) {
        return new LookupFailedException(
                "cannot look up " + key + " by " + getent + " " + database + ": " + why);
    }
}
