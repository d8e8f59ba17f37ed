package io.holdfast.manager.unit.value;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.holdfast.core.Signal;
import io.holdfast.core.process.Resource;
import io.holdfast.core.testkit.Gen;
import io.holdfast.manager.unit.host.VersionOrder;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class ValuesTest {
    /** Output of systemd-analyze timespan 257. */
    @ParameterizedTest
    @CsvSource({
        "1.5s, 1500000, 1.500000s",
        "90, 90000000, 1min 30s",
        "1500us, 1500, 1.500ms",
        "1y 2month 3.25d, 37098000000000, 1y 2month 3d 6h",
        "5min 20s, 320000000, 5min 20s",
        "0, 0, 0",
        "2h30min, 9000000000, 2h 30min",
        "'1 M', 2629800000000, 1month",
        "100ms, 100000, 100ms",
        "1us, 1, 1us",
        "infinity, 9223372036854775807, infinity",
    })
    void timeSpansAreReadAndWritten(String text, long micros, String written) {
        TimeSpan span = TimeSpan.parse(text);
        assertThat(span.micros()).isEqualTo(micros);
        assertThat(span).hasToString(written);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                " ",
                "x",
                "5x",
                "-1",
                "1.",
                "1.s",
                "12.34.56",
                "s",
                "infinity 1",
                "1e3",
                "99999999999999999999",
                "300000y 300000y",
                "9223372036854775807us"
            })
    void whatIsNoTimeSpanIsRefused(String text) {
        assertThatIllegalArgumentException().isThrownBy(() -> TimeSpan.parse(text));
    }

    @Test
    void aTimeSpanIsADuration() {
        assertThat(TimeSpan.parse("1.5s").duration()).contains(Duration.ofMillis(1500));
        assertThat(TimeSpan.INFINITY.duration()).isEmpty();
        assertThat(TimeSpan.seconds(1)).isLessThan(TimeSpan.INFINITY);
    }

    static Stream<Gen> generated() {
        return Gen.cases(200);
    }

    @ParameterizedTest
    @MethodSource("generated")
    void everyTimeSpanParsesFromItsText(Gen gen) {
        TimeSpan span = new TimeSpan((gen.anyLong() >>> 1) >> gen.between(0, 62));
        assertThat(TimeSpan.parse(span.toString())).isEqualTo(span);
    }

    @Test
    void booleansHaveManyWords() {
        for (String yes : List.of("1", "yes", "Y", "true", "T", "on")) {
            assertThat(Scalars.parseBoolean(yes)).isTrue();
        }
        for (String no : List.of("0", "no", "n", "FALSE", "f", "off")) {
            assertThat(Scalars.parseBoolean(no)).isFalse();
        }
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Scalars.parseBoolean("maybe"))
                .withMessage("\"maybe\" is not yes or no");
    }

    @ParameterizedTest
    @CsvSource({"0, 0", "022, 18", "2755, 1517", "7777, 4095"})
    void modesAreOctal(String text, int mode) {
        assertThat(Scalars.parseMode(text)).isEqualTo(mode);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "8", "0o22", "17777", "-1", "rwx", "77777777777"})
    void whatIsNoModeIsRefused(String text) {
        assertThatIllegalArgumentException().isThrownBy(() -> Scalars.parseMode(text));
    }

    @ParameterizedTest
    @CsvSource({
        "0, 0",
        "512, 512",
        "1K, 1024",
        "1.5G, 1610612736",
        "1G 500M, 1598029824",
        "2B, 2",
        "infinity, -1"
    })
    void sizesCountIn1024(String text, long bytes) {
        assertThat(Scalars.parseSize(text)).isEqualTo(bytes);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "K", "1X", "1K 1M", "-1", "1.5.5K", "1K 1G", ".5K", "16E"})
    void whatIsNoSizeIsRefused(String text) {
        assertThatIllegalArgumentException().isThrownBy(() -> Scalars.parseSize(text));
    }

    @Test
    void limitsAreMeasuredAsTheirResource() {
        assertThat(ResourceLimit.parse(Resource.NOFILE, "1024:65535"))
                .isEqualTo(new ResourceLimit(1024, 65535));
        assertThat(ResourceLimit.parse(Resource.NOFILE, "infinity"))
                .isEqualTo(new ResourceLimit(-1, -1));
        assertThat(ResourceLimit.parse(Resource.AS, "2G:infinity"))
                .isEqualTo(new ResourceLimit(2L << 30, -1));
        assertThat(ResourceLimit.parse(Resource.CPU, "1500ms")).isEqualTo(new ResourceLimit(2, 2));
        assertThat(ResourceLimit.parse(Resource.RTTIME, "7:5s"))
                .isEqualTo(new ResourceLimit(7, 5_000_000));
    }

    @Test
    void niceLimitsCountFromTwenty() {
        assertThat(ResourceLimit.parse(Resource.NICE, "+5")).isEqualTo(new ResourceLimit(15, 15));
        assertThat(ResourceLimit.parse(Resource.NICE, "-20")).isEqualTo(new ResourceLimit(40, 40));
        assertThat(ResourceLimit.parse(Resource.NICE, "30")).isEqualTo(new ResourceLimit(30, 30));
    }

    @Test
    void limitsThatContradictThemselvesAreRefused() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> ResourceLimit.parse(Resource.NOFILE, "10:5"))
                .withMessageContaining("above");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> ResourceLimit.parse(Resource.NOFILE, "1K"));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> ResourceLimit.parse(Resource.NOFILE, "infinity:5"));
    }

    @Test
    void theLastCapabilityOfTheHeaderHasItsNumber() {
        assertThat(Capability.values()).hasSize(41);
        assertThat(Capability.CHECKPOINT_RESTORE.number()).isEqualTo(40);
        assertThat(Capability.NET_BIND_SERVICE.number()).isEqualTo(10);
        assertThat(Capability.parse("cap_sys_admin")).isEqualTo(Capability.SYS_ADMIN);
        assertThat(Capability.parse("21")).isEqualTo(Capability.SYS_ADMIN);
    }

    private static Set<Capability> bounding(String... assignments) {
        List<String> unknown = new ArrayList<>();
        Set<Capability> set = Capability.all();
        for (String assignment : assignments) {
            set = Capability.assign(set, Capability.all(), assignment, unknown::add);
        }
        assertThat(unknown).isEmpty();
        return set;
    }

    @Test
    void capabilitySetsNarrowMergeAndInvert() {
        assertThat(bounding()).hasSize(41);
        assertThat(bounding("")).isEmpty();
        assertThat(bounding("", "~")).hasSize(41);
        assertThat(bounding("CAP_KILL CAP_CHOWN", "~CAP_KILL")).containsExactly(Capability.CHOWN);
        assertThat(bounding("CAP_KILL", "CAP_CHOWN"))
                .isEqualTo(EnumSet.of(Capability.CHOWN, Capability.KILL));
        assertThat(bounding("~CAP_KILL"))
                .isEqualTo(EnumSet.complementOf(EnumSet.of(Capability.KILL)));
    }

    @Test
    void unknownCapabilitiesAreTold() {
        List<String> unknown = new ArrayList<>();
        assertThat(
                        Capability.assign(
                                Capability.all(),
                                Capability.all(),
                                "CAP_KILL CAP_NONE",
                                unknown::add))
                .containsExactly(Capability.KILL);
        assertThat(unknown).containsExactly("\"CAP_NONE\" is not a capability");
    }

    @Test
    void exitStatusesHaveNumbersNamesAndSignals() {
        ExitStatusSet set =
                ExitStatusSet.EMPTY
                        .with("TEMPFAIL")
                        .with("250")
                        .with("SIGKILL")
                        .with("TERM")
                        .with("EXCEPTION");
        assertThat(set.statuses()).containsExactly(75, 250, 255);
        assertThat(set.hasSignal(Signal.KILL)).isTrue();
        assertThat(set.hasSignal(Signal.TERM)).isTrue();
        assertThat(set.hasSignal(Signal.HUP)).isFalse();
        for (String bad : new String[] {"300", "NOSUCH", "", "-1"}) {
            assertThatIllegalArgumentException().isThrownBy(() -> ExitStatusSet.EMPTY.with(bad));
        }
    }

    @Test
    void pathsAreSimplified() {
        assertThat(Scalars.parsePath("//a/./b//")).isEqualTo("/a/b");
        assertThat(Scalars.parsePath("/")).isEqualTo("/");
        assertThat(Scalars.parseRelativePath("a//b/")).isEqualTo("a/b");
        for (String bad : new String[] {"a", "", "/a/../b"}) {
            assertThatIllegalArgumentException().isThrownBy(() -> Scalars.parsePath(bad));
        }
        for (String bad : new String[] {"/a", "", ".", "../a"}) {
            assertThatIllegalArgumentException().isThrownBy(() -> Scalars.parseRelativePath(bad));
        }
    }

    @ParameterizedTest
    @CsvSource({
        "6.1, 6.10, -1", "6.18.3-test, 6.18, 1", "6.1~rc1, 6.1, -1", "6.1, 6.1, 0", "5.9, 6.0, -1",
        "6.1-2, 6.1.2, -1", "1.a, 1.b, -1", "6.01, 6.1, 0", "6.1^git, 6.1, 1", "6.1, 6.1+, 0"
    })
    void versionsAreOrdered(String a, String b, int order) {
        assertThat(VersionOrder.compare(a, b)).isEqualTo(order);
        assertThat(VersionOrder.compare(b, a)).isEqualTo(-order);
    }

    @ParameterizedTest
    @CsvSource({
        "*, anything, true",
        "a*c, abbc, true",
        "a*c, abbcd, false",
        "a?c, abc, true",
        "[a-c]x, bx, true",
        "[!a-c]x, bx, false",
        "[!a-c]x, dx, true",
        "[]]x, ]x, true",
        "\\*, *, true",
        "\\*, x, false",
        "[a, [a, true",
        "a**b, ab, true",
        "'', '', true",
        "'', a, false"
    })
    void globsMatchAsInTheShell(String pattern, String text, boolean matches) {
        assertThat(Glob.matches(pattern, text)).isEqualTo(matches);
    }

    @ParameterizedTest
    @MethodSource("generated")
    void aTextMatchesItselfEscapedAndEveryGlobEnds(Gen gen) {
        String text = gen.string("ab*?[]\\!-", 12);
        assertThat(Glob.matches(text.replaceAll("(.)", "\\\\$1"), text)).isTrue();
        assertThat(Glob.matches("*" + text.replaceAll("(.)", "\\\\$1"), "x" + text)).isTrue();
        Glob.matches(gen.string("a*?[]\\!-", 12), text);
    }
}
