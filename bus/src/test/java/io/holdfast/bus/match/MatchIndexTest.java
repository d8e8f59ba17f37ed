package io.holdfast.bus.match;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.bus.Allocation;
import io.holdfast.bus.account.ChargedResource;
import io.holdfast.bus.account.Quota;
import io.holdfast.bus.account.Quota.Account;
import io.holdfast.bus.config.Limits;
import io.holdfast.bus.policy.Party;
import io.holdfast.bus.policy.TestMessage;
import io.holdfast.bus.policy.TestParty;
import io.holdfast.bus.policy.UniqueName;
import io.holdfast.core.testkit.Gen;
import io.holdfast.dbus.marshal.BodyWriter;
import io.holdfast.dbus.marshal.MessageView;
import io.holdfast.dbus.marshal.MessageWriter;
import io.holdfast.dbus.wire.Signature;
import io.holdfast.dbus.wire.match.MatchRule;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

@Timeout(120)
class MatchIndexTest {
    private static final int MOST_TABLES = 32;
    private static final Party ANYBODY = TestParty.of(9);

    private final MatchIndex<Integer> index = new MatchIndex<>();
    private final Quota quota = new Quota(Limits.BUILT_IN);
    private final Account account = requireNonNull(quota.open(1, "a client", 2));

    private void add(int owner, MatchRule rule) {
        index.add(
                owner,
                rule,
                requireNonNull(quota.hold(account, ChargedResource.INCOMING, 1, 0, 0)));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '"',
            value = {
                "\"\" | true",
                "type='signal' | true",
                "type='error' | false",
                "interface='a.b' | true",
                "interface='a.c' | false",
                "member='M' | true",
                "member='N' | false",
                "path='/p/q' | true",
                "path='/p' | false",
                "path_namespace='/' | true",
                "path_namespace='/p' | true",
                "path_namespace='/p/q' | true",
                "path_namespace='/p/q/r' | false",
                "path_namespace='/x' | false",
                "sender=':1.7' | true",
                "sender=':1.8' | false",
                "sender=':1.07' | false",
                "sender=':2.7' | false",
                "sender='first.name' | true",
                "sender='second.name' | true",
                "sender='queued.name' | false",
                "sender='other.name' | false",
                "sender='second.name',interface='a.b',member='M' | true",
                "sender='second.name',interface='a.b',member='N' | false",
                "destination=':1.1' | false",
                "arg0='one.two' | true",
                "arg0='one' | false",
                "arg1='one.two' | false",
                "arg1='/o/p' | false",
                "arg2='3' | false",
                "arg3='/d/e/' | true",
                "arg0='one.two',arg3='/d/e/' | true",
                "arg0='one.two',arg3='/d/e' | false",
                "arg0='one.two',arg4='' | false",
                "arg63='x' | false",
                "arg0namespace='one' | true",
                "arg0namespace='one.two' | true",
                "arg0namespace='one.two.three' | false",
                "arg0namespace='on' | false",
                "arg1path='/o/p' | true",
                "arg1path='/o/' | true",
                "arg1path='/o' | false",
                "arg1path='/o/p/' | false",
                "arg3path='/d/e/' | true",
                "arg3path='/d/' | true",
                "arg3path='/d/e/f' | true",
                "arg3path='/d/f' | false",
                "arg3path='' | false",
                "arg2path='/' | false",
                "path_namespace='/p',arg0namespace='one' | true",
                "path_namespace='/x',arg0namespace='one' | false",
                "type='signal',sender=':1.7',interface='a.b',member='M',path='/p/q',arg0='one.two' | true",
                "type='signal',sender=':1.7',interface='a.b',member='M',path='/p/q',arg0='one.tw' | false",
            })
    void aRuleMatchesWhenAllOfItIsTrue(String rule, boolean matches) {
        add(3, MatchRule.parse(rule));

        MessageView message =
                TestMessage.view(
                        TestMessage.signal("/p/q", "a.b", "M")
                                .body("sous")
                                .putString("one.two")
                                .putObjectPath("/o/p")
                                .putUint32(3)
                                .putString("/d/e/")
                                .end());
        Party sender = TestParty.of(7, "first.name", "second.name", "?queued.name");

        assertThat(find(message, sender)).isEqualTo(matches ? List.of(3) : List.of());
    }

    @Test
    void argumentsBehindAllTypesAreFound() {
        add(1, MatchRule.parse("arg13='here'"));

        BodyWriter body =
                TestMessage.signal("/", "a.b", "M")
                        .body("ybnqiuxtdgvass")
                        .putByte(1)
                        .putBoolean(true)
                        .putInt16(1)
                        .putUint16(1)
                        .putInt32(1)
                        .putUint32(1)
                        .putInt64(1)
                        .putUint64(1)
                        .putDouble(1);
        body.putSignature(Signature.of("a{sv}"));
        body.beginVariant(Signature.of("i")).putInt32(1).endVariant();
        body.beginArray().putString("x").endArray();
        MessageWriter message = body.putString("here").end();

        assertThat(find(TestMessage.view(message), ANYBODY)).isEmpty();
        add(2, MatchRule.parse("arg12='here'"));
        assertThat(find(TestMessage.view(message), ANYBODY)).containsExactly(2);
    }

    @Test
    void theBusIsASenderByItsName() {
        add(1, MatchRule.parse("sender='org.freedesktop.DBus'"));
        add(2, MatchRule.parse("sender=':1.0'"));

        assertThat(find(signal("NameOwnerChanged"), Party.bus())).containsExactly(1);
    }

    @Test
    void whoHasSeveralMatchingRulesIsFoundOnce() {
        add(5, MatchRule.ANY);
        add(5, MatchRule.parse("member='M'"));
        add(5, MatchRule.parse("interface='a.b'"));
        add(6, MatchRule.parse("interface='a.b'"));

        assertThat(find(signal("M"), ANYBODY)).containsExactlyInAnyOrder(5, 6);
        assertThat(find(signal("N"), ANYBODY)).containsExactlyInAnyOrder(5, 6);
    }

    @Test
    void aRuleAddedTwiceIsRemovedTwice() {
        MatchRule rule = MatchRule.parse("member='M'");
        add(1, rule);
        add(1, MatchRule.parse("member=M,"));

        assertThat(index.size()).isEqualTo(2);
        assertThat(index.rules(1)).containsExactly(rule, rule);
        assertThat(index.remove(1, rule)).isTrue();
        assertThat(find(signal("M"), ANYBODY)).containsExactly(1);
        assertThat(index.remove(1, rule)).isTrue();
        assertThat(find(signal("M"), ANYBODY)).isEmpty();
        assertThat(index.remove(1, rule)).isFalse();
        assertThat(index.size()).isZero();
        assertThat(index.tableCount()).isZero();
    }

    @Test
    void nobodyRemovesTheRulesOfOthers() {
        add(1, MatchRule.ANY);

        assertThat(index.remove(2, MatchRule.ANY)).isFalse();
        assertThat(index.removeAll(2)).isZero();
        assertThat(index.size(1)).isEqualTo(1);
        assertThat(index.size(2)).isZero();
    }

    @Test
    void rulesGoWithTheirOwner() {
        for (int i = 0; i < 100; i++) {
            add(1, MatchRule.parse("member='M" + i + "'"));
            add(2, MatchRule.parse("member='M" + i + "'"));
        }

        assertThat(index.removeAll(1)).isEqualTo(100);
        assertThat(index.size()).isEqualTo(100);
        assertThat(find(signal("M7"), ANYBODY)).containsExactly(2);
        assertThat(index.removeAll(2)).isEqualTo(100);
        assertThat(index.tableCount()).isZero();
    }

    @Test
    void aMonitorSeesWhatIsAddressedToAName() {
        add(1, MatchRule.parse("destination='to.be.seen'"));
        add(2, MatchRule.parse("destination='" + UniqueName.of(4) + "'"));
        add(3, MatchRule.parse("destination='not.this'"));
        MessageView toUnique = TestMessage.view(TestMessage.call(UniqueName.of(4), "a.b", "M"));
        MessageView toName = TestMessage.view(TestMessage.call("to.be.seen", "a.b", "M"));
        Party receiver = TestParty.of(4, "to.be.seen", "?not.this");

        assertThat(find(toUnique, receiver, ANYBODY)).containsExactlyInAnyOrder(1, 2);
        assertThat(find(toName, receiver, ANYBODY)).containsExactlyInAnyOrder(1, 2);
        assertThat(found(index.find(toName, ANYBODY, null))).containsExactly(1);
    }

    @Test
    void rulesThatComeAndGoBetweenMessagesOfOneHeaderCount() {
        MessageView message = signal("M");
        add(0, MatchRule.parse("member='M'"));
        assertThat(find(message, ANYBODY)).containsExactly(0);

        add(1, MatchRule.parse("interface='a.b'"));
        assertThat(find(message, ANYBODY)).containsExactlyInAnyOrder(0, 1);
        index.removeAll(0);
        assertThat(find(message, ANYBODY)).containsExactly(1);
        add(2, MatchRule.parse("member='M',path_namespace='/p'"));
        assertThat(find(message, ANYBODY)).containsExactlyInAnyOrder(1, 2);
    }

    @Test
    void thereAreFewTablesWhateverIsAskedFor() {
        String[] parts = {"sender=':1.1'", "sender='a.b'", "interface='a.b'", "member='M'"};
        int owner = 0;
        for (int bits = 0; bits < 16; bits++) {
            for (int n = 0; n < 64; n++) {
                StringBuilder rule = new StringBuilder("arg" + n + "='v',");
                for (int bit = 0; bit < parts.length; bit++) {
                    if ((bits & 1 << bit) != 0 && (bits & 3) != 3) {
                        rule.append(parts[bit]).append(',');
                    }
                }
                add(owner++, MatchRule.parse(rule.toString()));
            }
        }
        assertThat(index.tableCount()).isLessThan(MOST_TABLES);

        BodyWriter body = TestMessage.signal("/", "a.b", "M").body("s".repeat(64));
        for (int n = 0; n < 64; n++) {
            body.putString(n == 63 ? "v" : "");
        }
        assertThat(find(TestMessage.view(body.end()), TestParty.of(2))).isNotEmpty().hasSize(8);

        for (int i = 0; i < owner; i++) {
            assertThat(index.removeAll(i)).isEqualTo(1);
        }
        assertThat(index.tableCount()).isZero();
    }

    @Test
    void aSearchAllocatesNothing() {
        for (int i = 0; i < 500; i++) {
            add(i, MatchRule.parse("member='M',arg0namespace='a" + i + "'"));
            add(i, MatchRule.parse("sender='s.n" + i + "',path_namespace='/p/" + i + "'"));
            add(i, MatchRule.parse("interface='a.b',path='/p/q',arg0='a3.b'"));
            add(i, MatchRule.parse("arg0path='/" + i + "/',arg1='x'"));
        }
        MessageView message =
                TestMessage.view(
                        TestMessage.signal("/p/q", "a.b", "M")
                                .body("ss")
                                .putString("a3.b")
                                .putString("x")
                                .end());
        Party sender = TestParty.of(4, "s.n7", "s.n9");

        Allocation.assertNone(() -> assertFound(message, sender, 500));
    }

    @ParameterizedTest
    @MethodSource("generators")
    void theIndexFindsWhatATrialOfAllRulesFinds(Gen gen) {
        List<MatchRule> all = new ArrayList<>();
        int count = gen.between(1, 200);
        for (int i = 0; i < count; i++) {
            MatchRule rule = rule(gen);
            add(i, rule);
            all.add(rule);
        }
        String[] header = header(gen);
        MessageView message = new MessageView(); // as in the bus, one view for all messages
        for (int i = 0; i < 20; i++) {
            if (gen.chance(0.5)) {
                header = header(gen);
            }
            read(message, body(header, gen));
            Party sender = TestParty.of(gen.between(0, 2), gen.oneOf("?a.b", "a.b"), "c.d");
            List<Integer> expected = new ArrayList<>();
            for (int owner = 0; owner < count; owner++) {
                if (new MatchNode(all.get(owner)).matches(message, sender, null)
                        && index.size(owner) > 0) {
                    expected.add(owner);
                }
            }
            assertThat(find(message, sender)).containsExactlyInAnyOrderElementsOf(expected);
            if (gen.chance(0.5)) {
                index.removeAll(gen.between(0, count - 1));
            } else {
                int changed = gen.between(0, count - 1);
                index.removeAll(changed);
                all.set(changed, rule(gen));
                add(changed, all.get(changed));
            }
        }
        for (int owner = 0; owner < count; owner++) {
            index.removeAll(owner);
        }
        assertThat(index.size()).isZero();
        assertThat(index.tableCount()).isZero();
    }

    static Stream<Gen> generators() {
        return Gen.cases(100);
    }

    private static MatchRule rule(Gen gen) {
        List<String> keys = new ArrayList<>();
        if (gen.chance(0.3)) {
            keys.add("type='" + gen.oneOf("signal", "error") + "'");
        }
        if (gen.chance(0.4)) {
            keys.add(
                    "sender='"
                            + gen.oneOf(UniqueName.of(0), UniqueName.of(1), "a.b", "c.d", "e.f")
                            + "'");
        }
        if (gen.chance(0.4)) {
            keys.add("interface='" + gen.oneOf("i.a", "i.b") + "'");
        }
        if (gen.chance(0.4)) {
            keys.add("member='" + gen.oneOf("M", "N") + "'");
        }
        if (gen.chance(0.5)) {
            String path = gen.oneOf("/", "/p", "/p/q", "/p/q/r", "/pp");
            keys.add(gen.oneOf("path", "path_namespace") + "='" + path + "'");
        }
        if (gen.chance(0.5)) {
            keys.add(gen.oneOf("arg0='x.y'", "arg0namespace='x'", "arg0path='/x/'", "arg0='/x/y'"));
        }
        if (gen.chance(0.3)) {
            keys.add(gen.oneOf("arg1='x.y'", "arg1path='/x/y'", "arg2='x'"));
        }
        return MatchRule.parse(String.join(",", keys));
    }

    /** Path, interface, member, signature. */
    private static String[] header(Gen gen) {
        return new String[] {
            gen.oneOf("/", "/p", "/p/q", "/p/q/r", "/pp"),
            gen.oneOf("i.a", "i.b"),
            gen.oneOf("M", "N"),
            gen.oneOf("ss", "so", "os", "sss")
        };
    }

    private static MemorySegment body(String[] header, Gen gen) {
        BodyWriter body = TestMessage.signal(header[0], header[1], header[2]).body(header[3]);
        for (char type : header[3].toCharArray()) {
            if (type == 's') {
                body.putString(gen.oneOf("x", "x.y", "x..y", ".x", "x.y.z", "/x/", "/x/y", ""));
            } else {
                body.putObjectPath(gen.oneOf("/", "/x", "/x/y"));
            }
        }
        return body.end().finish();
    }

    private static void read(MessageView view, MemorySegment message) {
        view.read(message, 0, (int) message.byteSize());
    }

    private static MessageView signal(String member) {
        return TestMessage.view(TestMessage.signal("/p", "a.b", member));
    }

    private void assertFound(MessageView message, Party sender, int count) {
        if (index.find(message, sender, null) != count) {
            throw new AssertionError("found others");
        }
    }

    private List<Integer> find(MessageView message, Party sender) {
        return found(index.find(message, sender, null));
    }

    private List<Integer> find(MessageView message, Party receiver, Party sender) {
        return found(index.find(message, sender, receiver));
    }

    private List<Integer> found(int count) {
        return IntStream.range(0, count).mapToObj(index::found).toList();
    }
}
