package io.holdfast.interop.authority;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.holdfast.core.process.Spawn;
import io.holdfast.core.testkit.ForeignParent;
import io.holdfast.core.testkit.ScratchCgroup;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * Debian's polkitd and ours, each on its own bus, with the same files, users, sessions and units:
 * both run with their own mounts over the folders that polkit(8) names, and in a cgroup namespace
 * whose root belongs to this stage.
 */
final class TwoAuthorities implements AutoCloseable {
    static final Path POLKITD = Path.of("/usr/lib/polkit-1/polkitd");

    /** The command of this checkout. */
    private static final Path HOLDFAST = Path.of("../holdfast").toAbsolutePath().normalize();

    /** $1: the folder of the stage. */
    private static final String SCRIPT =
            """
            set -e
            stage=$1
            shift
            mount --bind "$stage/passwd" /etc/passwd
            mount --bind "$stage/group" /etc/group
            mount --bind "$stage/shadow" /etc/shadow
            mount --bind "$stage/run" /run
            mount --bind "$stage/actions" /usr/share/polkit-1/actions
            mount --bind "$stage/rules.d" /usr/share/polkit-1/rules.d
            cgroups=$(sed -n 's/^[^ ]* \\([^ ]*\\) cgroup2 .*/\\1/p' /proc/mounts | head -n 1)
            mount -t cgroup2 cgroup2 "$cgroups" # with the root of this namespace
            for folder in /etc/polkit-1 /usr/local/share/polkit-1; do
                if [ -d "$folder" ]; then mount --bind "$stage/nothing" "$folder"; fi
            done
            exec "$@"
            """;

    /** A bus at the only address that polkit's helper knows. $1: its socket; then a command. */
    static final String HELPERS_BUS =
            """
            mkdir -p /run/dbus
            mount -t tmpfs none /run/dbus
            ln -s "$1" /run/dbus/system_bus_socket
            shift
            exec "$@"
            """;

    /** The hash of {@link SessionAgent#PASSWORD}, made by openssl-passwd(1). */
    private static final String SECRET =
            "$6$holdfast$AY8xw0sufcLNxJDRq6q.zAc.Zik9HCN5fu.q5ZX8LrSIb4LfJQZrwpm2hvTkj8dexCmne8fZoGQdPm1bax1Qq.";

    /** A user that is in no relevant group. */
    static final String PLAIN = "hfplain";

    private static final long FIRST_UID = 40_100;

    /**
     * A user, with the groups that the database reports.
     *
     * @param groups all of them
     */
    record Role(String name, long uid, List<Long> groups) {}

    private final Path folder;
    private SubjectPlace subjectPlace = SubjectPlace.NOWHERE;
    private final Map<String, Role> roles = new LinkedHashMap<>();
    private final ScratchCgroup cgroup = ScratchCgroup.create();
    private final List<AuthorityUnderTest> both = new ArrayList<>();

    /**
     * Starts both; skips the test if polkitd is not installed, or does not find the sessions of the
     * stage: libsystemd reads them from the cgroups of a machine that is set up as it expects.
     *
     * @param sources their files, beside {@link CraftedPolicy}; each group that the rules name gets
     *     a member, and each user that they name exists
     */
    static TwoAuthorities start(Path folder, PolicySources sources)
            throws IOException, InterruptedException {
        assumeTrue(Files.isExecutable(POLKITD), "needs Debian's package polkitd");
        assumeTrue(
                Files.exists(HOLDFAST.resolveSibling(".holdfast/launch")),
                "the command must have been built: ./holdfast --version");
        TwoAuthorities started = new TwoAuthorities(folder, sources);
        boolean seesSessions = false;
        try {
            seesSessions = started.theirsSeesSessions();
        } finally {
            if (!seesSessions) {
                started.close();
            }
        }
        assumeTrue(seesSessions, "needs a machine on which polkitd finds the session of a cgroup");
        return started;
    }

    private boolean theirsSeesSessions() throws IOException, InterruptedException {
        place(SubjectPlace.LOCAL_AND_ACTIVE);
        try (ForeignParent parent = ForeignParent.start();
                CheckedSubject subject =
                        new CheckedSubject(
                                this, SubjectPlace.LOCAL_AND_ACTIVE, role(PLAIN), parent)) {
            return theirs().checkAuthorization(
                            subject.subject(CheckedSubject.Kind.NUMBER, 0),
                            CraftedPolicy.DEFAULTS + "no.no.yes",
                            Map.of(),
                            0)
                    .word()
                    .equals("yes");
        } finally {
            place(SubjectPlace.NOWHERE);
        }
    }

    private TwoAuthorities(Path folder, PolicySources sources)
            throws IOException, InterruptedException {
        this.folder = folder;
        readable(folder);
        for (String each :
                List.of(
                        "run/systemd/seats",
                        "run/systemd/sessions",
                        "run/systemd/users",
                        "actions",
                        "rules.d",
                        "nothing",
                        "theirs",
                        "ours")) {
            readable(Files.createDirectories(folder.resolve(each)));
        }
        sources.copyTo(folder.resolve("actions"), folder.resolve("rules.d"));
        Files.writeString(folder.resolve("rules.d/10-holdfast.rules"), CraftedPolicy.RULES);
        Files.writeString(folder.resolve("rules.d/20-holdfast-arrow.rules"), CraftedPolicy.NEWER);
        Files.writeString(folder.resolve("actions/org.holdfast.policy"), CraftedPolicy.actions());
        makeUsers(sources);
        Files.writeString(folder.resolve("stage.sh"), SCRIPT);
        try {
            both.add(start("theirs", List.of(POLKITD.toString(), "--no-debug")));
            both.add(
                    start(
                            "ours",
                            List.of(
                                    HOLDFAST.toString(),
                                    "authority",
                                    "--socket",
                                    varlinkSocket().toString())));
        } catch (IOException | InterruptedException | RuntimeException | Error e) {
            close();
            throw e;
        }
    }

    private static void readable(Path path) throws IOException {
        Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    private AuthorityUnderTest start(String name, List<String> command)
            throws IOException, InterruptedException {
        return new AuthorityUnderTest(
                name, folder.resolve(name), this::program, command, cgroup.cgroup().path());
    }

    /** Prepares a program inside the mounts of the stage. */
    Spawn program(List<String> command) {
        return Spawn.of("unshare", "--mount", "--cgroup", "sh")
                .arguments(List.of(folder.resolve("stage.sh").toString(), folder.toString()))
                .arguments(command)
                .cgroup(cgroup.cgroup());
    }

    // ---- users

    private void makeUsers(PolicySources sources) throws IOException {
        List<String> passwd = new ArrayList<>(Files.readAllLines(Path.of("/etc/passwd")));
        List<String> groups = new ArrayList<>(Files.readAllLines(Path.of("/etc/group")));
        addUser(passwd, "root");
        addUser(passwd, PLAIN);
        for (String group : sources.groups()) {
            addMember(groups, group, addUser(passwd, "hfin" + group));
        }
        for (String user : sources.users()) {
            String _ = addUser(passwd, user);
        }
        Files.write(folder.resolve("passwd"), passwd);
        Files.write(folder.resolve("group"), groups);
        Files.write(
                folder.resolve("shadow"),
                passwd.stream()
                        .map(line -> line.split(":", -1)[0] + ":" + SECRET + ":19000:0:99999:7:::")
                        .toList());
        for (Role role : List.copyOf(roles.values())) {
            roles.put(
                    role.name(), new Role(role.name(), role.uid(), groupsOf(role, passwd, groups)));
        }
    }

    private String addUser(List<String> passwd, String name) {
        long uid = FIRST_UID + roles.size();
        for (String line : passwd) {
            String[] fields = line.split(":", -1);
            if (fields[0].equals(name)) {
                roles.put(name, new Role(name, Long.parseLong(fields[2]), List.of()));
                return name;
            }
        }
        passwd.add("%s:x:%d:%d:::/bin/sh".formatted(name, uid, uid));
        roles.put(name, new Role(name, uid, List.of()));
        return name;
    }

    private static void addMember(List<String> groups, String group, String member) {
        for (int i = 0; i < groups.size(); i++) {
            String line = groups.get(i);
            if (line.startsWith(group + ":")) {
                groups.set(i, line + (line.endsWith(":") ? "" : ",") + member);
                return;
            }
        }
        groups.add("%s:x:%d:%s".formatted(group, FIRST_UID + groups.size(), member));
    }

    private static List<Long> groupsOf(Role role, List<String> passwd, List<String> groups) {
        Stream<String> primary =
                passwd.stream()
                        .map(line -> line.split(":", -1))
                        .filter(fields -> fields[0].equals(role.name()))
                        .map(fields -> fields[3]);
        Stream<String> others =
                groups.stream()
                        .map(line -> line.split(":", -1))
                        .filter(fields -> List.of(fields[3].split(",", -1)).contains(role.name()))
                        .map(fields -> fields[2]);
        return Stream.concat(primary, others).map(Long::parseLong).distinct().toList();
    }

    List<Role> roles() {
        return List.copyOf(roles.values());
    }

    Role role(String name) {
        Role role = roles.get(name);
        if (role == null) {
            throw new IllegalArgumentException("no such user on the stage: " + name);
        }
        return role;
    }

    // ---- the place of subjects

    /** Places all users there, in logind's files as well as in cgroups. */
    void place(SubjectPlace everywhere) throws IOException {
        subjectPlace = everywhere;
        for (Role role : roles.values()) {
            String file = Long.toString(role.uid());
            write("sessions", file, subjectPlace.sessionFile(role.uid()).orElse(""));
            write("users", file, subjectPlace.userFile(role.uid()).orElse(""));
            Path _ = Files.createDirectories(Path.of(cgroup(subjectPlace, role)));
        }
    }

    /** Returns the place of all users. */
    SubjectPlace subjectPlace() {
        return subjectPlace;
    }

    private void write(String kind, String name, String text) throws IOException {
        Path file = folder.resolve("run/systemd").resolve(kind).resolve(name);
        if (text.isEmpty()) {
            boolean ignored = Files.deleteIfExists(file);
        } else {
            Path _ = Files.writeString(file, text);
        }
    }

    /** Returns the folder of a cgroup. */
    String cgroup(SubjectPlace subjectPlace, Role role) {
        return cgroup.folder() + "/" + subjectPlace.cgroup(role.uid());
    }

    /** Returns both, polkitd first. */
    List<AuthorityUnderTest> both() {
        return both;
    }

    AuthorityUnderTest theirs() {
        return both.getFirst();
    }

    AuthorityUnderTest ours() {
        return both.getLast();
    }

    /** Returns the Varlink socket of ours. */
    Path varlinkSocket() {
        return folder.resolve("io.holdfast.Authority");
    }

    @Override
    public void close() {
        both.reversed().forEach(AuthorityUnderTest::close);
        cgroup.close();
    }
}
