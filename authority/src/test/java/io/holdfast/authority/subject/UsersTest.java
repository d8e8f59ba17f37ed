package io.holdfast.authority.subject;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.holdfast.core.machine.Accounts;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class UsersTest {
    private static final Duration MAX_AGE = Duration.ofSeconds(10);

    private final AtomicLong clock = new AtomicLong();

    @TempDir private Path folder;
    private Path passwd;
    private Path group;
    private Users users;

    @BeforeEach
    void writeFiles() throws IOException {
        passwd = folder.resolve("passwd");
        group = folder.resolve("group");
        Files.writeString(
                passwd,
                """
                root:x:0:0:root:/root:/bin/sh
                john:x:500:100:John:/home/john:/bin/sh
                jane:x:501:100:Jane:/home/jane:/bin/sh
                sally:x:502:102:Sally:/home/sally:/bin/sh
                henry:x:503:103:Henry:/home/henry:/bin/sh
                highuid1:x:2147483648:100::/:/bin/sh
                500:x:600:600::/:/bin/sh
                """);
        Files.writeString(
                group,
                """
                root:x:0:
                users:x:100:
                admin:x:101:root,sally,gone,henry,sally
                rootonly:x:104:root
                digits:x:105:500
                """);
        users = users("", 100);
    }

    /**
     * Makes users with a script instead of getent. The script records each query, runs {@code
     * before}, and then answers from this test's files and for some netgroups.
     */
    private Users users(String before, int maxAnswers) throws IOException {
        Path script = folder.resolve("getent");
        Files.writeString(
                script,
                """
                #!/bin/sh
                cd "${0%%/*}" || exit 3
                echo "$1 $2" >> asked
                %s
                case "$1 $2" in
                "netgroup foo") echo 'foo                   ( ,john,) (host,-,dom) (a,root,b)' ;;
                "netgroup all") echo 'all (a,,b)' ;;
                "initgroups john") echo 'john    100 101 77' ;;
                initgroups*) echo "$2" ;;
                group*) grep -E "^$2:|^[^:]*:[^:]*:$2:" group || exit 2 ;;
                *) exit 2 ;;
                esac
                """
                        .formatted(before));
        Files.setPosixFilePermissions(script, PosixFilePermissions.fromString("rwxr-xr-x"));
        return new Users(
                new Accounts(passwd, group, script.toString(), Duration.ofSeconds(50)),
                List.of(passwd, group, folder.resolve("nsswitch.conf")),
                maxAnswers,
                MAX_AGE,
                clock::get);
    }

    private List<String> lookups() throws IOException {
        Path file = folder.resolve("asked");
        return Files.exists(file) ? Files.readAllLines(file) : List.of();
    }

    @Test
    void usersAreTranslatedBothWays() {
        assertThat(users.uid("john")).hasValue(500);
        assertThat(users.name(500)).isEqualTo("john");
        assertThat(users.uid("nobody-here")).isEmpty();
        assertThat(users.name(0)).isEqualTo("root");
    }

    @Test
    void aUserWithoutANameIsItsNumber() {
        assertThat(users.name(4_000_000_000L)).isEqualTo("4000000000");
        assertThat(users.uid("4000000000")).hasValue(4_000_000_000L);
        assertThat(users.groups(4_000_000_000L)).isEmpty();
        assertThat(users.groupNames(4_000_000_000L)).isEmpty();
        assertThat(users.groupName(4_000_000_001L)).isEqualTo("4000000001");
    }

    @Test
    void numbersOverTwoToThe31AreUsers() {
        assertThat(users.uid("highuid1")).hasValue(2147483648L);
        assertThat(users.name(2147483648L)).isEqualTo("highuid1");
        assertThat(users.groupNames(2147483648L)).containsExactly("users");
    }

    @Test
    void theHighestNumberIsNobodys() throws IOException {
        assertThat(users.uid("4294967295")).isEqualTo(OptionalLong.empty());
        assertThat(users.uid("4294967294")).hasValue(4294967294L);
        assertThat(users.name(4294967295L)).isEqualTo("4294967295");
        assertThat(users.groups(4294967295L)).isEmpty();
        assertThat(users.expand(new Identity.User("4294967295"), 500)).isEmpty();
        assertThat(lookups()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(longs = {-1, Long.MIN_VALUE, 4294967296L, Long.MAX_VALUE})
    void otherNumbersAreRefused(long number) {
        assertThatIllegalArgumentException().isThrownBy(() -> users.name(number));
        assertThatIllegalArgumentException().isThrownBy(() -> users.groups(number));
        assertThatIllegalArgumentException().isThrownBy(() -> users.groupName(number));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "-1", "-x", "99999999999999999999", "a b", "a:b", "٣", "+5"})
    void whatIsNoUserIsNobody(String name) {
        assertThat(users.uid(name)).isEmpty();
        assertThat(users.user(name)).isEmpty();
    }

    @Test
    void digitsAreANumberThoughAUserHasThemAsItsName() {
        assertThat(users.uid("500")).hasValue(500);
        assertThat(users.name(600)).isEqualTo("500");
        assertThat(users.expand(new Identity.Group("digits"), 1)).isEmpty(); // not user john's uid
    }

    @Test
    void groupsAreThePrimaryOneAndTheOthers() {
        assertThat(users.groups(500)).containsExactly(100L, 101L, 77L);
        assertThat(users.groupNames(500)).containsExactly("users", "admin", "77");
        assertThat(users.groupNames(501)).containsExactly("users");
    }

    @Test
    void netgroupsAreAskedForAnyHostAndDomain() {
        assertThat(users.isInNetgroup("john", "foo")).isTrue();
        assertThat(users.isInNetgroup("jane", "foo")).isFalse();
        assertThat(users.isInNetgroup("-", "all")).isTrue();
        assertThat(users.isInNetgroup("jane", "all")).isTrue();
        assertThat(users.isInNetgroup("john", "other")).isFalse();
        assertThat(users.isInNetgroup("john", "")).isFalse();
    }

    @ParameterizedTest
    @CsvSource({
        "unix-user:john, 500",
        "unix-user:4000000000, 4000000000",
        "unix-user:root, 0",
        "unix-user:gone, ''",
        "unix-group:admin, '502 503'",
        "unix-group:101, '502 503'",
        "unix-group:users, '501'",
        "unix-group:rootonly, ''",
        "unix-group:root, ''",
        "unix-group:999, ''",
        "unix-group:gone, ''",
        "unix-netgroup:foo, 500",
        "unix-netgroup:all, ''",
        "unix-netgroup:gone, ''",
    })
    void anIdentityStandsForUsers(String identity, String uids) {
        List<Long> expected =
                uids.isEmpty()
                        ? List.of()
                        : List.of(uids.split(" ")).stream().map(Long::valueOf).toList();
        assertThat(users.expand(Identity.parse(identity), 501)).isEqualTo(expected);
    }

    @Test
    void rootIsNoMemberThoughItAsks() {
        assertThat(users.expand(new Identity.Group("root"), 0)).isEmpty();
    }

    @Test
    void administratorsAreTheUsersOfAllIdentities() {
        List<Identity> identities =
                List.of(
                        new Identity.Group("admin"),
                        new Identity.User("gone"),
                        new Identity.User("sally"),
                        new Identity.User("john"));
        assertThat(users.administrators(identities, 501))
                .isEqualTo(
                        new Administrators(
                                List.of(502L, 503L, 500L),
                                List.of("unix-user:gone: matches no user")));
    }

    @Test
    void whereNobodyIsLeftRootIsTheAdministrator() {
        assertThat(users.administrators(List.of(), 500).uids()).containsExactly(0L);
        List<Identity> nobody = List.of(new Identity.Group("rootonly"), new Identity.User("gone"));
        assertThat(users.administrators(nobody, 500).uids()).containsExactly(0L);
    }

    @Test
    void notToKnowIsNotToBeNobody() throws IOException {
        Users silent = users("kill -9 $$", 100);
        assertThat(silent.name(500)).isEqualTo("john"); // found in the file, without getent
        assertThatExceptionOfType(Users.UnavailableException.class)
                .isThrownBy(() -> silent.name(777))
                .withMessageContaining("cannot look up 777");
        assertThatExceptionOfType(Users.UnavailableException.class)
                .isThrownBy(() -> silent.groups(500));
        assertThatExceptionOfType(Users.UnavailableException.class)
                .isThrownBy(() -> silent.isInNetgroup("john", "foo"));
        Administrators administrators =
                silent.administrators(
                        List.of(new Identity.Group("admin"), new Identity.User("john")), 501);
        assertThat(administrators.uids()).containsExactly(500L);
        assertThat(administrators.problems())
                .singleElement()
                .asString()
                .startsWith("unix-group:admin: cannot look up admin");
        users("", 100);
        assertThat(silent.groups(500)).hasSize(3); // the failure was not cached
    }

    @Test
    void whoeverIsInterruptedIsToldAndStaysInterrupted() throws IOException {
        Users slow = users("exec sleep 1000", 100);
        Thread.currentThread().interrupt();
        assertThatExceptionOfType(Users.UnavailableException.class)
                .isThrownBy(() -> slow.groups(500));
        assertThat(Thread.interrupted()).isTrue();
    }

    @Test
    void anAnswerIsKeptForItsAge() throws IOException {
        assertThat(users.groups(500)).hasSize(3);
        clock.addAndGet(MAX_AGE.toNanos() - 1);
        assertThat(users.groups(500)).hasSize(3);
        assertThat(lookups()).containsExactly("initgroups john");
        clock.addAndGet(1);
        assertThat(users.groups(500)).hasSize(3);
        assertThat(lookups()).hasSize(2);
    }

    @Test
    void thatThereIsNoneIsKeptToo() throws IOException {
        for (int i = 0; i < 3; i++) {
            assertThat(users.name(777)).isEqualTo("777");
        }
        assertThat(lookups()).containsExactly("passwd 777");
    }

    @Test
    void aChangeOfAFileIsSeenAtOnce() throws IOException {
        for (int i = 0; i < 20; i++) {
            String name = "n" + i; // of the same length, and perhaps with the same mtime
            Path fresh = folder.resolve("new");
            Files.writeString(fresh, name + ":x:888:1::/:/bin/sh\n");
            Files.move(fresh, passwd, StandardCopyOption.ATOMIC_MOVE);
            assertThat(users.name(888)).isEqualTo(name);
        }
        assertThat(users.groups(888)).containsExactly(1L);
        Files.writeString(folder.resolve("nsswitch.conf"), "passwd: files\n");
        assertThat(users.groups(888)).containsExactly(1L);
        assertThat(lookups()).hasSize(2);
    }

    @Test
    void soManyAnswersAreKeptThoseAskedLast() throws IOException {
        Users few = users("", 2);
        for (int uid : new int[] {701, 702, 701, 703, 701}) {
            assertThat(few.name(uid)).isEqualTo(Integer.toString(uid));
        }
        assertThat(lookups()).containsExactly("passwd 701", "passwd 702", "passwd 703");
        assertThat(few.name(702)).isEqualTo("702");
        assertThat(lookups()).hasSize(4);
    }

    @Test
    void thisMachineHasARoot() {
        Users here = new Users();
        assertThat(here.name(0)).isEqualTo("root");
        assertThat(here.groups(0)).startsWith(0L);
        assertThat(here.groupName(0)).isEqualTo("root");
        assertThat(here.isInNetgroup("root", "no-such-netgroup")).isFalse();
    }
}
