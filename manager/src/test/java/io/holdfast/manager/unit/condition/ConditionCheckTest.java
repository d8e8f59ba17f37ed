package io.holdfast.manager.unit.condition;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.holdfast.core.testkit.SameOnEveryKernel;
import io.holdfast.manager.unit.ManagerScope;
import io.holdfast.manager.unit.Tree;
import io.holdfast.manager.unit.UnitFilePlace;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.host.Specifiers;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests how the results of single conditions decide about a start. */
@SameOnEveryKernel
class ConditionCheckTest {
    private static final ConditionCheck CHECK =
            new ConditionCheck(
                    MachineFacts.of(Tree.HOST, Tree.SYSTEM.account(), Map.of(), Map.of()));

    static Condition condition(String line) {
        int equals = line.indexOf('=');
        return Condition.parse(
                line.substring(0, equals),
                false,
                line.substring(equals + 1),
                new UnitFilePlace("f", 1),
                new Specifiers(UnitName.of("a.service"), Optional.empty(), Tree.HOST, Tree.SYSTEM));
    }

    private static boolean met(String... lines) {
        return CHECK.check(List.of(lines).stream().map(ConditionCheckTest::condition).toList())
                .met();
    }

    @Test
    void allPlainOnesMustHoldAndOneTrigger() {
        String yes = "User=root";
        String no = "User=nobody";
        assertThat(met()).isTrue();
        assertThat(met(yes, no)).isFalse();
        assertThat(met("User=|root", "User=|nobody")).isTrue();
        assertThat(met("User=|nobody", "User=|daemon")).isFalse();
        assertThat(met(no, "User=|root")).isFalse();
        assertThat(met(yes, "User=|!root")).isFalse();
        assertThat(met("User=| ! nobody")).isTrue();
    }

    @Test
    void theVerdictNamesWhatDecided() {
        List<Condition> conditions =
                List.of(condition("User=nobody"), condition("PathExists=/"), condition("Host=|x"));
        ConditionCheck.Verdict verdict = CHECK.check(conditions);
        assertThat(verdict.unmet())
                .extracting(Condition::toString)
                .containsExactly("ConditionUser=nobody", "ConditionHost=|x");
        assertThat(verdict.held().get(conditions.get(1))).isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "ACPower=perhaps",
                "FirstBoot=perhaps",
                "Memory=much",
                "CPUs=>=some",
                "Capability=CAP_NONE",
                "CPUPressure=10",
                "MemoryPressure=10%/2min",
                "KernelVersion=>",
                "OSRelease=ID",
                "OSRelease=ID= debian",
                "Firmware=smbios-field(bios_vendor)"
            })
    void aParameterWithoutMeaningHoldsInNoForm(String line) {
        assertThat(met(line)).isFalse();
        assertThat(met(line.replaceFirst("=", "=!"))).isFalse();
    }

    @Test
    void aPathMustBeAbsoluteAndWithoutParents() {
        for (String line : List.of("PathExists=etc", "PathExists=!|/x", "NeedsUpdate=/a/../b")) {
            assertThatIllegalArgumentException().isThrownBy(() -> condition(line));
        }
        assertThat(condition("PathExistsGlob=/a//b/*/").parameter()).isEqualTo("/a/b/*");
    }

    @Test
    void aUserManagersEnvironmentIsThatOfItsUnits() {
        Map<String, String> received = Map.of("FOO", "bar", "NOTIFY_SOCKET", "/run/n");
        assertThat(ManagerScope.user(Map.of()).environment(received))
                .containsEntry("FOO", "bar")
                .doesNotContainKey("NOTIFY_SOCKET");
        assertThat(Tree.SYSTEM.environment(Map.of("FOO", "bar", "LANG", "C")))
                .containsKeys("PATH", "LANG")
                .doesNotContainKey("FOO");
    }
}
