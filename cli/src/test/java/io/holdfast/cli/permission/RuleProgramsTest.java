package io.holdfast.cli.permission;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.authority.rules.ProgramUser;
import io.holdfast.authority.rules.RuleLimits;
import io.holdfast.core.machine.Accounts;
import io.holdfast.core.testkit.Needs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** How root's rules run their programs. */
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
        assertThat(programs.limits()).isEqualTo(RuleLimits.STANDARD);
        assertThat(warnings).isEmpty();
    }

    @Test
    void withoutThatUserTheyRunAsRootWithAWarning() throws Exception {
        RulePrograms programs = found("", "false");

        assertThat(programs.user()).isEmpty();
        assertThat(programs.limits()).isEqualTo(RuleLimits.STANDARD);
        assertThat(warnings)
                .containsExactly(
                        "there is no user polkitd: programs of rules (polkit.spawn) run as root");
    }

    @Test
    void ifNobodyAnswersWhetherThereIsThatUserNoneRunsAndTheAuthorityStarts() throws Exception {
        RulePrograms programs = found("", "/no/such");

        assertThat(programs.user()).isEmpty();
        assertThat(programs.limits().programs()).isZero();
        assertThat(warnings)
                .singleElement()
                .asString()
                .startsWith("user polkitd: not known whether there is one: ")
                .contains("/no/such")
                .endsWith("; programs of rules (polkit.spawn) do not run");
    }
}
