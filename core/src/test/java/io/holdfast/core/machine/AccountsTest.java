package io.holdfast.core.machine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.holdfast.core.machine.Accounts.Account;
import io.holdfast.core.machine.Accounts.LookupFailedException;
import io.holdfast.core.machine.Accounts.NetgroupMember;
import io.holdfast.core.machine.Accounts.UnknownAccountException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class AccountsTest {
    private static final Duration LONG = Duration.ofSeconds(50);

    @TempDir private Path folder;

    @BeforeEach
    void writeFiles() throws IOException {
        Files.writeString(
                folder.resolve("passwd"),
                """
                # no entry
                broken:x:12
                toobig:x:4294967295:0::/:/bin/sh
                redis:x:110:114:Redis,,,:/var/lib/redis:/usr/sbin/nologin
                twin:x:110:115::/home/twin:/bin/sh
                1234:x:7:7::/named-like-a-number:/bin/sh
                """);
        Files.writeString(folder.resolve("group"), "adm:x:4:redis\nredis:x:114:\n");
    }

    private Accounts accounts(String getent) throws IOException {
        return accounts(getent, LONG);
    }

    /** Accounts with a script instead of getent. */
    private Accounts accounts(String getent, Duration timeout) throws IOException {
        Path script = folder.resolve("getent");
        Files.writeString(script, "#!/bin/sh\n" + getent + "\n");
        Files.setPosixFilePermissions(script, PosixFilePermissions.fromString("rwxr-xr-x"));
        return new Accounts(
                folder.resolve("passwd"), folder.resolve("group"), script.toString(), timeout);
    }

    @Test
    void usersAreFoundByNameAndByNumber() throws Exception {
        Accounts accounts = accounts("exit 2");
        Account redis = new Account("redis", 110, 114, "/var/lib/redis", "/usr/sbin/nologin");
        assertThat(accounts.user("redis")).isEqualTo(redis);
        assertThat(accounts.user("110")).isEqualTo(redis);
        assertThat(accounts.user("twin").gid()).isEqualTo(115);
        assertThat(accounts.user("7").name()).isEqualTo("1234");
    }

    @Test
    void groupsAreFoundByNameAndByNumber() throws Exception {
        Accounts accounts = accounts("exit 2");
        assertThat(accounts.group("adm")).isEqualTo(4);
        assertThat(accounts.group("114")).isEqualTo(114);
        assertThat(accounts.group("54321")).isEqualTo(54321);
    }

    @ParameterizedTest
    @ValueSource(strings = {"nobody-here", "1234", "4294967295", "99999999999", "broken", "toobig"})
    void whoIsNowhereIsUnknown(String name) throws IOException {
        Accounts accounts = accounts("exit 2");
        assertThatExceptionOfType(UnknownAccountException.class)
                .isThrownBy(() -> accounts.user(name))
                .withMessage("no such user: " + name);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "-x", "a b", "a:b", "a\nb"})
    void anInvalidNameIsNotLookedUp(String name) throws IOException {
        Accounts accounts = accounts("echo \"$2:x:1:1::/:/bin/sh\"");
        assertThatExceptionOfType(UnknownAccountException.class)
                .isThrownBy(() -> accounts.group(name))
                .withMessageStartingWith("not the name of a group");
    }

    @Test
    void theNameServiceSwitchLooksUpOthers() throws Exception {
        Accounts accounts =
                accounts("[ \"$1 $2\" = 'passwd ada' ] && echo ada:x:9000:9001::/h/ada:/bin/zsh");
        assertThat(accounts.user("ada"))
                .isEqualTo(new Account("ada", 9000, 9001, "/h/ada", "/bin/zsh"));
        assertThatExceptionOfType(UnknownAccountException.class)
                .isThrownBy(() -> accounts.group("ada"))
                .withMessage("no such group: ada");
    }

    @Test
    void theGroupsOfAUserAreItsFurtherOnes() throws Exception {
        Accounts accounts = accounts("[ $1 = initgroups ] && echo \"$2       114 4 4 27\"");
        assertThat(accounts.groupsOf(accounts.user("redis"))).containsExactly(4L, 27L);
    }

    @Test
    void groupsHaveNamesAndMembers() throws Exception {
        Accounts accounts = accounts("[ \"$1 $2\" = 'group adm' ] && echo adm:x:4:redis,,ada");
        assertThat(accounts.groupName(114)).isEqualTo("redis");
        assertThat(accounts.groupEntry("adm"))
                .isEqualTo(new Accounts.Group("adm", 4, List.of("redis", "ada")));
        assertThatExceptionOfType(UnknownAccountException.class)
                .isThrownBy(() -> accounts.groupName(54321))
                .withMessage("no such group: 54321");
        assertThatExceptionOfType(UnknownAccountException.class)
                .isThrownBy(() -> accounts.groupEntry("lp"))
                .withMessage("no such group: lp");
    }

    @Test
    void theMembersOfANetgroupAreTriples() throws Exception {
        Accounts accounts =
                accounts("[ $1 = netgroup ] && echo \"$2    ( ,ada, ) (host,-,example.org)(,,)\"");
        assertThat(accounts.netgroup("lab"))
                .containsExactly(
                        new NetgroupMember("", "ada", ""),
                        new NetgroupMember("host", "-", "example.org"),
                        new NetgroupMember("", "", ""));
        assertThat(accounts("exit 2").netgroup("lab")).isEmpty();
        assertThatExceptionOfType(UnknownAccountException.class)
                .isThrownBy(() -> accounts.netgroup("-s"));
    }

    @Test
    void aToolThatIsKilledHasNotAnswered() throws IOException {
        Accounts accounts = accounts("kill -KILL $$");
        assertThatExceptionOfType(LookupFailedException.class)
                .isThrownBy(() -> accounts.user("ada"))
                .withMessageContaining("killed by SIGKILL");
    }

    @Test
    void rootIsFoundOnThisMachine() throws Exception {
        assertThat(Accounts.SYSTEM.user("root").uid()).isZero();
        assertThat(Accounts.SYSTEM.user("0").name()).isEqualTo("root");
        assertThat(Accounts.SYSTEM.group("root")).isZero();
        assertThat(Accounts.SYSTEM.groupsOf(Accounts.SYSTEM.user("root"))).doesNotContain(0L);
        assertThatExceptionOfType(UnknownAccountException.class)
                .isThrownBy(() -> Accounts.SYSTEM.user("nobody-has-this-name"));
    }

    @Test
    void anAnswerThatDoesNotEndIsCutOff() throws IOException {
        Accounts endless = accounts("exec sleep 1000", Duration.ofMillis(50));
        assertThatExceptionOfType(UnknownAccountException.class)
                .isThrownBy(() -> endless.user("ada"))
                .withMessageContaining("no end within 50 ms");
        Accounts huge = accounts("exec yes");
        assertThatExceptionOfType(UnknownAccountException.class)
                .isThrownBy(() -> huge.user("ada"))
                .withMessageContaining("more than " + Accounts.MAX_ANSWER + " bytes");
    }

    @Test
    void withoutTheToolTheReasonIsReported() {
        Accounts alone =
                new Accounts(folder.resolve("passwd"), folder.resolve("group"), "/no/getent", LONG);
        assertThatExceptionOfType(UnknownAccountException.class)
                .isThrownBy(() -> alone.user("ada"))
                .withMessageContaining("/no/getent");
    }
}
