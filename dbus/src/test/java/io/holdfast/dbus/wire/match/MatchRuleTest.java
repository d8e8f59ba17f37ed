package io.holdfast.dbus.wire.match;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.holdfast.core.testkit.Gen;
import io.holdfast.core.testkit.SameOnEveryKernel;
import io.holdfast.dbus.wire.MessageType;
import io.holdfast.dbus.wire.match.MatchRule.Argument;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

@SameOnEveryKernel
class MatchRuleTest {
    @Test
    void everyKeyIsRead() {
        MatchRule rule =
                MatchRule.parse(
                        "type='signal',sender='a.b',destination=':1.7',interface='c.d',member='E',"
                                + "path='/f',arg0='g',arg63='h',arg2path='/i/',eavesdrop='true'");

        assertThat(rule.type()).isEqualTo(MessageType.SIGNAL);
        assertThat(rule.sender()).isEqualTo("a.b");
        assertThat(rule.destination()).isEqualTo(":1.7");
        assertThat(rule.interfaceName()).isEqualTo("c.d");
        assertThat(rule.member()).isEqualTo("E");
        assertThat(rule.path()).isEqualTo("/f");
        assertThat(rule.arguments())
                .containsExactly(
                        new Argument(0, MatchRule.Test.EQUAL, "g"),
                        new Argument(2, MatchRule.Test.PATH, "/i/"),
                        new Argument(63, MatchRule.Test.EQUAL, "h"));
        assertThat(rule.eavesdrop()).isTrue();
        assertThat(MatchRule.parse("path_namespace='/a',arg0namespace='com'"))
                .isEqualTo(
                        MatchRule.builder().pathNamespace("/a").argument0Namespace("com").build());
    }

    @ParameterizedTest
    @CsvSource({
        "signal, 4",
        "method_call, 1",
        "method_return, 2",
        "error, 3",
    })
    void everyTypeHasAName(String name, int type) {
        assertThat(MatchRule.parse("type=" + name).type()).isEqualTo(type);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "  ", "\t\r\n"})
    void nothingSaidMeansAnything(String text) {
        assertThat(MatchRule.parse(text)).isEqualTo(MatchRule.ANY);
        assertThat(MatchRule.ANY).hasToString("");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "type='signal',member='A'",
                "member='A',type='signal'",
                "type=signal,member=A",
                "type='signal',member='A',",
                " type='signal',\t member='A', ",
                "type='sig'nal,member=''A''",
                "type='signal',member='A',eavesdrop='false'",
            })
    void spellingMakesNoDifference(String text) {
        assertThat(MatchRule.parse(text)).isEqualTo(MatchRule.parse("type=signal,member=A"));
        assertThat(MatchRule.parse(text)).hasToString("type='signal',member='A'");
    }

    @Test
    void quotingFollowsTheSpecification() {
        assertThat(value("arg0=''\\'''")).isEqualTo("'");
        assertThat(value("arg0='\\'")).isEqualTo("\\");
        assertThat(value("arg0=','")).isEqualTo(",");
        assertThat(value("arg0='\\\\'")).isEqualTo("\\\\");
        assertThat(value("arg0=\\a")).isEqualTo("\\a");
        assertThat(value("arg0=\\")).isEqualTo("\\");
        assertThat(value("arg0=\\\\'x")).isEqualTo("\\'x");
        assertThat(value("arg0= b c ")).isEqualTo(" b c ");
        assertThat(value("arg0='a=b'")).isEqualTo("a=b");
        assertThat(value("arg0=")).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "type",
                ",",
                "type='signal',,member='A'",
                "=a",
                "typo='signal'",
                "Type='signal'",
                "type='Signal'",
                "type=''",
                "type='signal',type='signal'",
                "sender='x'",
                "sender='a..b'",
                "destination='a b'",
                "interface='a'",
                "interface='a.1'",
                "member='a.b'",
                "member=''",
                "path='a'",
                "path='/a/'",
                "path_namespace='/a/'",
                "path='/a',path_namespace='/a'",
                "path_namespace='/a',path='/a'",
                "arg0='a',arg0='a'",
                "arg0='a',arg0path='/a'",
                "arg0='a',arg0namespace='a'",
                "arg0namespace='a',arg0path='/a'",
                "arg0namespace='a..b'",
                "arg0namespace=''",
                "arg1namespace='a'",
                "arg64='a'",
                "arg64path='a'",
                "arg-1='a'",
                "arg01='a'",
                "arg99999999999='a'",
                "arg='a'",
                "argpath='a'",
                "arg0paths='a'",
                "eavesdrop='yes'",
                "arg0='a",
                "arg0=a'",
                "arg0=''\\''",
            })
    void whatIsNoRuleIsRefused(String text) {
        assertThatExceptionOfType(MatchRuleException.class)
                .isThrownBy(() -> MatchRule.parse(text))
                .satisfies(e -> assertThat(e.getMessage()).contains("at character"));
    }

    @Test
    void aRefusalSaysWhatAndWhere() {
        assertThatExceptionOfType(MatchRuleException.class)
                .isThrownBy(() -> MatchRule.parse("type='signal', member='a.b'"))
                .withMessage("member: 'a.b' is not a member name (at character 15)");
        assertThatExceptionOfType(MatchRuleException.class)
                .isThrownBy(() -> MatchRule.parse("arg0path='/',arg0namespace='a'"))
                .withMessage("arg0namespace and arg0path exclude each other (at character 13)");
        assertThatExceptionOfType(MatchRuleException.class)
                .isThrownBy(() -> MatchRule.parse("arg64='/'"))
                .withMessage("arg64: arguments are numbered 0 to 63 (at character 0)");
    }

    @Test
    void theLimitCountsBytes() {
        String ascii = "arg0='" + "a".repeat(MatchRule.MAX_TEXT - 7) + "'";
        String wide = "arg0='" + "é".repeat((MatchRule.MAX_TEXT - 7) / 2) + "'";

        assertThat(value(ascii)).hasSize(MatchRule.MAX_TEXT - 7);
        assertThat(value(wide)).hasSize((MatchRule.MAX_TEXT - 7) / 2);
        for (String tooLong : List.of(ascii + ",", wide + ",,")) {
            assertThatExceptionOfType(MatchRuleException.class)
                    .isThrownBy(() -> MatchRule.parse(tooLong))
                    .withMessageContaining("1024 bytes");
        }
    }

    @Test
    void onlyMonitorsEavesdrop() {
        assertThat(MatchRule.parseSubscription("eavesdrop='false'")).isEqualTo(MatchRule.ANY);
        assertThatExceptionOfType(MatchRuleException.class)
                .isThrownBy(() -> MatchRule.parseSubscription("eavesdrop='true'"))
                .withMessageContaining("BecomeMonitor");
    }

    @ParameterizedTest
    @MethodSource("generators")
    void aRuleSurvivesItsOwnText(Gen gen) {
        MatchRule.Builder builder = MatchRule.builder();
        if (gen.chance(0.5)) {
            builder.type(gen.between(1, 4));
        }
        if (gen.chance(0.5)) {
            builder.sender(gen.oneOf("a.b", ":1.5"));
        }
        if (gen.chance(0.5)) {
            builder.pathNamespace(gen.oneOf("/", "/a/b"));
        }
        if (gen.chance(0.3)) {
            builder.argument0Namespace(gen.oneOf("a", "a.b-c"));
        }
        for (int i = 1; i < 5; i++) {
            if (gen.chance(0.5)) {
                builder.argument(i, gen.string("ab',\\= é☃", 10));
            } else if (gen.chance(0.5)) {
                builder.argumentPath(i, gen.string("/ab'", 10));
            }
        }
        MatchRule rule = builder.eavesdrop(gen.chance(0.5)).build();

        assertThat(MatchRule.parse(rule.toString())).isEqualTo(rule);
        assertThat(MatchRule.parse(rule.toString())).hasSameHashCodeAs(rule);
    }

    static Stream<Gen> generators() {
        return Gen.cases(300);
    }

    private static String value(String text) {
        return MatchRule.parse(text).arguments().getFirst().value();
    }
}
