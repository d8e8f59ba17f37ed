package io.holdfast.cli.permission;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.holdfast.authority.rules.ProgramUser;
import io.holdfast.authority.rules.RuleLimits;
import io.holdfast.core.machine.Accounts;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.Exit;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.process.Stdio;
import io.holdfast.core.testkit.Needs;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Tests how an authority of root runs the programs of rules. */
@Timeout(60)
@Needs(root = true)
class RuleProgramsTest {
    @TempDir private Path folder;
    private final List<String> warnings = new ArrayList<>();

    private RulePrograms found(String passwd, String getent)
            throws IOException, InterruptedException {
        Path users = Files.writeString(folder.resolve("passwd"), passwd);
        Path groups = Files.writeString(folder.resolve("group"), "");
        Accounts accounts = new Accounts(users, groups, getent, Duration.ofSeconds(30));
        return RulePrograms.ofAuthority(accounts, warnings::add);
    }

    @Test
    void theyRunAsPolkitd() throws Exception {
        RulePrograms programs = found("polkitd:x:990:990::/:/usr/sbin/nologin\n", "/no/such");

        assertThat(programs.user()).map(ProgramUser::toString).contains("polkitd");
        assertThat(programs.limits()).isEqualTo(RuleLimits.standard());
        assertThat(warnings).isEmpty();
    }

    @Test
    void withoutThatUserTheyRunAsRootWithAWarning() throws Exception {
        RulePrograms programs = found("", "false");

        assertThat(programs.user()).isEmpty();
        assertThat(programs.limits()).isEqualTo(RuleLimits.standard());
        assertThat(warnings)
                .containsExactly(
                        "user polkitd: no such user; programs of polkit.spawn run as root");
    }

    @Test
    void untilSomebodyAnswersWhetherThereIsThatUserNoneRunsAndTheAuthorityStarts()
            throws Exception {
        Path getent = folder.resolve("getent");
        RulePrograms programs = found("", getent.toString());
        ProgramUser user = programs.user().orElseThrow();

        assertThat(warnings)
                .singleElement()
                .asString()
                .startsWith("user polkitd: look-up failed: ")
                .contains(getent.toString())
                .endsWith("; polkit.spawn fails until a look-up succeeds");
        assertThat(programs.limits()).isEqualTo(RuleLimits.standard());
        assertThatExceptionOfType(Accounts.UnknownAccountException.class)
                .isThrownBy(() -> user.applied(Spawn.of("id")))
                .withMessageContaining(getent.toString());

        Files.writeString(
                getent,
                """
                #!/bin/sh
                case $1 in
                passwd) echo polkitd:x:4711:4712::/:/bin/false ;;
                esac
                """);
        Files.setPosixFilePermissions(getent, PosixFilePermissions.fromString("rwxr-xr-x"));
        try (Child child =
                user.applied(Spawn.of("id", "-u"))
                        .stdout(Stdio.pipe())
                        .directory(Path.of("/"))
                        .start()) {
            assertThat(new String(child.stdout().readAllBytes(), StandardCharsets.UTF_8))
                    .isEqualTo("4711\n");
            assertThat(child.await()).isEqualTo(new Exit.Exited(0));
        }
    }
}
