package io.holdfast.manager.unit.section;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.manager.unit.Diagnostic;
import io.holdfast.manager.unit.Tree;
import io.holdfast.manager.unit.settings.JournalSettings;
import io.holdfast.manager.unit.value.TimeSpan;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class JournalSettingsReaderTest {
    private static ServiceUnit unit(String... lines) {
        return Tree.service(
                "a.service", "[Service]\nExecStart=/bin/true\n" + String.join("\n", lines) + "\n");
    }

    private static JournalSettings read(String... lines) {
        ServiceUnit unit = unit(lines);
        assertThat(unit.diagnostics()).isEmpty();
        return unit.exec().journal();
    }

    @Test
    void withoutDirectivesTheReceiverDecides() {
        JournalSettings log = read();
        assertThat(log.levelMax()).isEmpty();
        assertThat(log.extraFields()).isEmpty();
        assertThat(log.rateInterval()).isEmpty();
        assertThat(log.rateBurst()).isEmpty();
        assertThat(log.allowedPatterns()).isEmpty();
        assertThat(log.deniedPatterns()).isEmpty();
    }

    @Test
    void aLevelIsAWordOrANumber() {
        assertThat(read("LogLevelMax=notice").levelMax()).isEqualTo(OptionalInt.of(5));
        assertThat(read("LogLevelMax=0").levelMax()).isEqualTo(OptionalInt.of(0));
    }

    @Test
    void extraFieldsAreSplitUnquotedAndExpanded() {
        assertThat(
                        read("LogExtraFields=A=1 B=x\\x41", "LogExtraFields=\"C=%p y\" A=2")
                                .extraFields())
                .containsExactly("A=1", "B=xA", "C=a y", "A=2");
        assertThat(read("LogExtraFields=A=1", "LogExtraFields=").extraFields()).isEmpty();
    }

    @Test
    void aPatternIsAWholeLineAndKeepsItsPercentSigns() {
        JournalSettings log =
                read(
                        "LogFilterPatterns=x",
                        "LogFilterPatterns=",
                        "LogFilterPatterns=~bad .*",
                        "LogFilterPatterns=100%n \\d+",
                        "LogFilterPatterns=100%n \\d+");
        assertThat(log.allowedPatterns()).containsExactly("100%n \\d+");
        assertThat(log.deniedPatterns()).containsExactly("bad .*");
    }

    @Test
    void aRateHasAnIntervalAndABurst() {
        JournalSettings log = read("LogRateLimitIntervalSec=2min", "LogRateLimitBurst=4294967295");
        assertThat(log.rateInterval()).contains(TimeSpan.seconds(120));
        assertThat(log.rateBurst()).hasValue(0xffff_ffffL);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "LogLevelMax=bogus",
                "LogLevelMax=8",
                "LogLevelMax=",
                "LogExtraFields=A",
                "LogExtraFields=a=1",
                "LogExtraFields=_A=1",
                "LogExtraFields=9A=1",
                "LogExtraFields==1",
                "LogFilterPatterns=(",
                "LogFilterPatterns=~",
                "LogRateLimitIntervalSec=soon",
                "LogRateLimitBurst=-1",
                "LogRateLimitBurst=4294967296",
                "LogRateLimitBurst=infinity"
            })
    void aWrongValueIsIgnored(String line) {
        assertThat(unit(line).diagnostics())
                .singleElement()
                .extracting(Diagnostic::kind)
                .isEqualTo(Diagnostic.Kind.IGNORED);
        assertThat(unit(line).exec().journal()).isEqualTo(read());
    }

    @Test
    void aNamespaceIsNotSupportedAndSaid() {
        assertThat(unit("LogNamespace=web").diagnostics())
                .singleElement()
                .matches(said -> said.kind() == Diagnostic.Kind.NOT_APPLIED)
                .matches(said -> said.message().contains("LogNamespace= is not supported"));
    }
}
