package io.holdfast.bus.policy;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.bus.Allocation;
import io.holdfast.bus.config.BusConfig;
import io.holdfast.bus.config.ConfigException;
import io.holdfast.bus.config.PolicyBlock;
import io.holdfast.bus.config.PolicyRule;
import io.holdfast.bus.config.PolicyRule.MessageTest;
import io.holdfast.core.machine.Accounts;
import io.holdfast.core.process.CgroupPath;
import io.holdfast.core.testkit.Gen;
import io.holdfast.dbus.marshal.HeaderField;
import io.holdfast.dbus.marshal.MessageView;
import io.holdfast.dbus.marshal.MessageWriter;
import io.holdfast.dbus.wire.MessageType;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

@Timeout(120)
class PolicyTest {
    private static final String ALLOW = "<allow send_destination='*'/>";
    private static final Party OTHER = TestParty.of(3, "first.name", "x.y.z", "?queued.name");

    @TempDir private Path folder;

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                // The call is to "first.name" of OTHER, path /, interface i.f, member M.
                " | false",
                "<allow send_destination='*'/> | true",
                "<allow send_type='method_call'/> | true",
                "<allow send_type='signal'/> | false",
                "<allow send_destination='first.name'/> | true",
                "<allow send_destination='queued.name'/> | true",
                "<allow send_destination='x.y.z'/> | true",
                "<allow send_destination='x.y'/> | false",
                "<allow send_destination=':1.3'/> | true",
                "<allow send_destination=':1.4'/> | false",
                "<allow send_destination_prefix='x.y'/> | true",
                "<allow send_destination_prefix='x'/> | true",
                "<allow send_destination_prefix='x.y.z'/> | true",
                "<allow send_destination_prefix='x.y.zz'/> | false",
                "<allow send_destination_prefix='x.'/> | false",
                "<allow send_interface='i.f'/> | true",
                "<allow send_interface='i.g'/> | false",
                "<allow send_interface='i.f' send_member='M'/> | true",
                "<allow send_interface='i.f' send_member='N'/> | false",
                "<allow send_path='/'/> | true",
                "<allow send_path='/other'/> | false",
                "<allow send_error='any.error'/> | true",
                "<allow send_broadcast='true' send_type='*'/> | false",
                "<allow send_broadcast='false' send_type='*'/> | true",
                "<allow send_destination='first.name' send_interface='i.f' send_member='M'/> | true",
                "<allow send_destination='x.y.z' send_interface='i.f' send_member='M'/> | true",
                "<allow send_destination='first.name' send_interface='i.g'/> | false",
                "<allow send_type='*' min_fds='1'/> | false",
                "<allow send_type='*' max_fds='0'/> | true",
                "<allow receive_type='method_call'/> | false",
                "<allow send_type='*'/><deny send_interface='i.f'/> | false",
                "<deny send_interface='i.f'/><allow send_type='*'/> | true",
                "<allow send_type='*'/><deny send_destination='first.name'/>"
                        + "<allow send_destination='x.y.z'/> | true",
                "<allow send_type='*'/><deny send_destination='x.y.z'/>"
                        + "<allow send_destination='nobody.there'/> | false",
            })
    void theLastSendRuleThatMatchesDecides(@Nullable String rules, boolean allowed) {
        MessageView call = TestMessage.view(TestMessage.call("first.name", "i.f", "M"));

        assertThat(policy(rules).canSend(call, OTHER, false)).isEqualTo(allowed);
    }

    @Test
    void aCallWithoutInterfaceIsDeniedButNotAllowedByIt() {
        MessageView call = TestMessage.view(TestMessage.call("first.name", "", "M"));

        assertThat(policy("<allow send_interface='i.f'/>").canSend(call, OTHER, false)).isFalse();
        assertThat(policy(ALLOW + "<deny send_interface='i.f'/>").canSend(call, OTHER, false))
                .isFalse();
        assertThat(
                        policy(ALLOW + "<deny send_interface='i.f' send_member='N'/>")
                                .canSend(call, OTHER, false))
                .isTrue();
        assertThat(
                        policy(ALLOW + "<deny send_destination='x.y.z' send_interface='i.f'/>")
                                .canSend(call, OTHER, false))
                .isFalse();
    }

    @Test
    void aFieldThatIsAbsentFits() {
        MessageView reply = TestMessage.view(TestMessage.reply(":1.3"));

        assertThat(policy("<allow send_path='/x'/>").canSend(reply, OTHER, true)).isTrue();
        assertThat(
                        policy(ALLOW + "<deny send_path='/x' send_member='M'/>")
                                .canSend(reply, OTHER, true))
                .isTrue(); // a deny is about replies that were not requested
        assertThat(
                        policy(ALLOW + "<deny send_path='/x' send_member='M'/>")
                                .canSend(reply, OTHER, false))
                .isFalse();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "<allow send_type='*'/> | true | false",
                "<allow send_requested_reply='true'/> | true | false",
                "<allow send_requested_reply='false'/> | true | true",
                "<allow send_type='*' eavesdrop='true'/> | true | true",
                "<allow send_requested_reply='false'/><deny send_type='*'/> | true | false",
                "<allow send_requested_reply='false'/><deny send_type='*'"
                        + " send_requested_reply='true'/> | false | false",
                "<allow send_type='method_return'/> | true | false",
                "<allow send_type='error'/> | false | false",
            })
    void repliesAreJudgedByWhetherTheyWereAskedFor(
            String rules, boolean requested, boolean unrequested) {
        MessageView reply = TestMessage.view(TestMessage.reply(":1.3"));
        PeerPolicy send = policy(rules);
        PeerPolicy receive = policy(rules.replace("send_", "receive_"));

        assertThat(send.canSend(reply, OTHER, true)).isEqualTo(requested);
        assertThat(send.canSend(reply, OTHER, false)).isEqualTo(unrequested);
        assertThat(receive.canReceive(reply, OTHER, true, false)).isEqualTo(requested);
        assertThat(receive.canReceive(reply, OTHER, false, false)).isEqualTo(unrequested);
    }

    @Test
    void errorsAreToldApartByName() {
        MessageView error = TestMessage.view(TestMessage.error(":1.3", "a.b.C"));

        assertThat(policy("<allow send_error='a.b.C'/>").canSend(error, OTHER, true)).isTrue();
        assertThat(policy("<allow send_error='a.b.D'/>").canSend(error, OTHER, true)).isFalse();
        assertThat(policy("<allow receive_error='a.b.C'/>").canReceive(error, OTHER, true, false))
                .isTrue();
    }

    @Test
    void broadcastsAreSignalsWithoutDestination() {
        MessageView broadcast = TestMessage.view(TestMessage.signal("/", "i.f", "S"));
        MessageView unicast =
                TestMessage.view(TestMessage.signal("/", "i.f", "S").destination(":1.3"));
        PeerPolicy only = policy("<allow send_broadcast='true'/>");
        PeerPolicy none = policy("<allow send_broadcast='false'/>");

        assertThat(only.canSend(broadcast, OTHER, false)).isTrue();
        assertThat(only.canSend(unicast, OTHER, false)).isFalse();
        assertThat(none.canSend(broadcast, OTHER, false)).isFalse();
        assertThat(none.canSend(unicast, OTHER, false)).isTrue();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "<allow receive_type='*'/> | true | false",
                "<allow eavesdrop='true'/> | true | true",
                "<allow eavesdrop='false'/> | true | false",
                "<allow eavesdrop='true'/><deny eavesdrop='true'/> | true | false",
                "<allow eavesdrop='true'/><deny receive_type='*'/> | false | false",
                "<allow receive_sender='first.name'/> | true | false",
                "<allow receive_sender='queued.name'/> | true | false",
                "<allow receive_sender='other.name'/> | false | false",
                "<allow receive_interface='i.f'/> | true | false",
                "<allow receive_interface='i.f' receive_member='N'/> | false | false",
                "<allow receive_path='/'/> | true | false",
                "<allow send_type='*'/> | false | false",
            })
    void theLastReceiveRuleThatMatchesDecides(String rules, boolean own, boolean eavesdropped) {
        MessageView call = TestMessage.view(TestMessage.call(":1.9", "i.f", "M"));

        assertThat(policy(rules).canReceive(call, OTHER, false, false)).isEqualTo(own);
        assertThat(policy(rules).canReceive(call, OTHER, false, true)).isEqualTo(eavesdropped);
    }

    @ParameterizedTest
    @CsvSource({"0, false", "1, true", "2, true", "3, false"})
    void rulesCountDescriptors(int fds, boolean allowed) {
        MessageWriter writer = TestMessage.call(":1.3", "i.f", "M");
        MessageView call = TestMessage.view(fds == 0 ? writer : writer.unixFds(fds));

        assertThat(policy("<allow send_type='*' min_fds='1' max_fds='2'/>"))
                .satisfies(p -> assertThat(p.canSend(call, OTHER, false)).isEqualTo(allowed));
        assertThat(policy("<allow receive_type='*' min_fds='1' max_fds='2'/>"))
                .satisfies(p ->
                        assertThat(p.canReceive(call, OTHER, false, false)).isEqualTo(allowed));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                " | a.b | false",
                "<allow own='*'/> | a.b | true",
                "<allow own='a.b'/> | a.b | true",
                "<allow own='a.b'/> | a.b.c | false",
                "<allow own_prefix='a.b'/> | a.b | true",
                "<allow own_prefix='a.b'/> | a.b.c.d | true",
                "<allow own_prefix='a.b'/> | a.bc | false",
                "<allow own_prefix='a.b'/><deny own='a.b.c'/> | a.b.c | false",
                "<allow own='*'/><deny own_prefix='a'/> | a.b | false",
                "<deny own='a.b'/><allow own='*'/> | a.b | true",
                "<allow own='a.b'/><deny own='a.b'/> | a.b | false",
            })
    void theLastOwnRuleThatMatchesDecides(@Nullable String rules, String name, boolean allowed) {
        assertThat(policy(rules).canOwn(name)).isEqualTo(allowed);
    }

    @Test
    void contextsFollowEachOther() {
        String allow = "<allow own='a.b'/>";
        String deny = "<deny own='a.b'/>";
        String[] scopes = {
            "context='default'",
            "group='1'",
            "user='7'",
            "at_console='false'",
            "context='mandatory'"
        };
        for (int i = 0; i < scopes.length; i++) {
            for (int j = i + 1; j < scopes.length; j++) {
                // The later scope comes first in the file, and decides nevertheless.
                PolicySet set = set(block(scopes[j], allow) + block(scopes[i], deny));
                assertThat(
                                set.forPeer(7, new long[] {2, 1}, PolicyTest::isNowhere, false)
                                        .canOwn("a.b"))
                        .as("%s over %s", scopes[j], scopes[i])
                        .isTrue();
            }
        }
        PolicySet set = set(block("at_console='true'", allow) + block("user='8'", allow));
        assertThat(set.forPeer(7, new long[] {}, PolicyTest::isNowhere, false).canOwn("a.b"))
                .isFalse();
        assertThat(set.forPeer(7, new long[] {}, PolicyTest::isNowhere, true).canOwn("a.b"))
                .isTrue();
        assertThat(set.forPeer(8, new long[] {}, PolicyTest::isNowhere, false).canOwn("a.b"))
                .isTrue();
    }

    @Test
    void peersWhomNothingTellsApartShareAPolicy() {
        PolicySet set = set(block("user='8'", "<allow own='a.b'/>"));

        assertThat(set.forPeer(1, new long[] {5}, PolicyTest::isNowhere, false))
                .isSameAs(set.forPeer(2, new long[] {6, 7}, PolicyTest::isNowhere, false))
                .isNotSameAs(set.forPeer(8, new long[] {}, PolicyTest::isNowhere, false));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                // 5 is the owner of the bus, 6 is in groups 60 and 61
                " | true | false",
                "<allow user='*'/> | true | true",
                "<deny user='5'/> | false | false",
                "<allow user='6'/> | true | true",
                "<allow group='61'/> | true | true",
                "<allow group='62'/> | true | false",
                "<deny group='*'/><allow user='6'/> | false | true",
                "<allow user='6'/><deny user='*'/> | false | false",
                "<deny user='*'/><allow user='nobody-by-this-name'/> | false | false",
            })
    void connectRulesAreForAll(@Nullable String rules, boolean owner, boolean other) {
        PolicySet set = set(block("context='default'", rules == null ? "" : rules));

        assertThat(set.canConnect(5, new long[] {50})).isEqualTo(owner);
        assertThat(set.canConnect(6, new long[] {60, 61})).isEqualTo(other);
    }

    @Test
    void aPolicyOfACgroupIsForThoseInItAndBelow() {
        PolicySet set = set("<policy cgroup='/a.slice/x.service'><allow own='a.b'/></policy>");

        for (String in : List.of("/a.slice/x.service", "/a.slice/x.service/below")) {
            assertThat(set.forPeer(7, new long[] {7}, in(in), false).canOwn("a.b")).as(in).isTrue();
        }
        for (String out : List.of("/", "/a.slice", "/a.slice/x.service2", "/b/a.slice/x.service")) {
            assertThat(set.forPeer(7, new long[] {7}, in(out), false).canOwn("a.b"))
                    .as(out)
                    .isFalse();
        }
        assertThat(set.forPeer(7, new long[] {7}, PolicyTest::isNowhere, false).canOwn("a.b"))
                .isFalse();
    }

    /** In no cgroup that a policy is for. */
    private static boolean isNowhere(CgroupPath place) {
        return place.path().isEmpty();
    }

    private static Predicate<CgroupPath> in(String cgroup) {
        return new CgroupPath(cgroup)::isWithin;
    }

    @Test
    void mandatoryConnectRulesComeLast() {
        PolicySet set =
                set(
                        block("context='mandatory'", "<deny user='6'/>")
                                + block("context='default'", "<allow user='*'/>"));

        assertThat(set.canConnect(6, new long[] {})).isFalse();
        assertThat(set.canConnect(7, new long[] {})).isTrue();
    }

    @Test
    void unknownUsersAndGroupsAreNamedAndLeftOut() {
        PolicySet set =
                set(
                        block("user='no-such-user'", "<allow own='*'/>")
                                + block("group='no-such-group'", "<allow own='*'/>")
                                + block("context='default'", "<deny user='no-such-user'/>"));

        assertThat(set.unknown()).hasSize(3).allSatisfy(line -> assertThat(line).contains("conf:"));
        assertThat(set.forPeer(0, new long[] {0}, PolicyTest::isNowhere, false).canOwn("a.b"))
                .isFalse();
    }

    @Test
    void namesOfUsersAndGroupsAreLookedUpAndNumbersAreNot() throws Exception {
        Path passwd =
                Files.writeString(
                        folder.resolve("passwd"), "ann:x:12:1::/:/bin/sh\n08:x:13:1::/:/bin/sh\n");
        Path group = Files.writeString(folder.resolve("group"), "staff:x:50:ann\n09:x:51:\n");
        Accounts accounts = new Accounts(passwd, group, "false", Duration.ofSeconds(60));
        PolicySet set =
                new PolicySet(
                        config(
                                block("user='ann'", "<allow own='a.a'/>")
                                        + block("user='12345'", "<allow own='a.a'/>")
                                        + block("user='08'", "<allow own='a.a'/>")
                                        + block("group='staff'", "<allow own='a.b'/>")
                                        + block("group='09'", "<allow own='a.b'/>")
                                        + block("group='010'", "<allow own='a.b'/>")),
                        accounts,
                        0);

        assertThat(set.unknown()).isEmpty();
        assertThat(set.forPeer(12, new long[] {1}, PolicyTest::isNowhere, false).canOwn("a.a"))
                .isTrue();
        assertThat(set.forPeer(12345, new long[] {1}, PolicyTest::isNowhere, false).canOwn("a.a"))
                .isTrue();
        assertThat(set.forPeer(13, new long[] {1}, PolicyTest::isNowhere, false).canOwn("a.a"))
                .as("08")
                .isTrue();
        for (long gid : new long[] {50, 51, 8}) {
            assertThat(set.forPeer(7, new long[] {gid}, PolicyTest::isNowhere, false).canOwn("a.b"))
                    .as("group %d", gid)
                    .isTrue();
        }
        assertThat(set.forPeer(7, new long[] {1}, PolicyTest::isNowhere, false).canOwn("a.a"))
                .isFalse();
    }

    @Test
    void theDecidingRuleIsNamedWithItsPlace() {
        PeerPolicy policy = policy(ALLOW + "\n<deny send_interface='i.f'/>");
        MessageView call = TestMessage.view(TestMessage.call("first.name", "i.f", "M"));

        assertThat(PeerPolicy.explain(policy.sendRule(call, OTHER, false)))
                .isEqualTo("<deny send_interface=\"i.f\"/> (" + folder.resolve("p.conf") + ":2)");
        assertThat(PeerPolicy.explain(policy.receiveRule(call, OTHER, false, false)))
                .isEqualTo("no rule of the policy allows it");
        assertThat(policy.ownRule("a.b")).isNull();
    }

    @Test
    void whoIsToBeStartedIsKnownByTheNameAlone() {
        MessageView call = TestMessage.view(TestMessage.call("first.name", "i.f", "M"));
        PeerPolicy policy = policy("<allow send_destination='first.name'/>");

        assertThat(policy.canSend(call, Party.expected("first.name"), false)).isTrue();
        assertThat(policy.canSend(call, Party.expected("second.name"), false)).isFalse();
    }

    @Test
    void theSystemPolicyOpensTheBusAndNothingElse() throws Exception {
        PolicySet set = compiled(systemOnly(), 0);
        PeerPolicy user = set.forPeer(1000, new long[] {1000}, PolicyTest::isNowhere, false);
        PeerPolicy root = set.forPeer(0, new long[] {0}, PolicyTest::isNowhere, false);
        String bus = "org.freedesktop.DBus";

        assertThat(set.canConnect(1000, new long[] {})).isTrue();
        assertThat(user.canOwn("a.b")).isFalse();
        assertThat(user.canSend(call(bus, bus, "Hello"), Party.bus(), false)).isTrue();
        assertThat(user.canSend(call(bus, bus + ".Properties", "Get"), Party.bus(), false))
                .isTrue();
        assertThat(user.canSend(call(bus, bus, "UpdateActivationEnvironment"), Party.bus(), false))
                .isFalse();
        String monitoring = bus + ".Monitoring";
        assertThat(user.canSend(call(bus, monitoring, "BecomeMonitor"), Party.bus(), false))
                .isFalse();
        assertThat(root.canSend(call(bus, monitoring, "BecomeMonitor"), Party.bus(), false))
                .isTrue();
        assertThat(user.canSend(call("first.name", "i.f", "M"), OTHER, false)).isFalse();
        assertThat(user.canReceive(call(":1.3", "i.f", "M"), OTHER, false, false)).isTrue();
        MessageView signal = TestMessage.view(TestMessage.signal("/", "i.f", "S"));
        assertThat(user.canSend(signal, OTHER, false)).isTrue();
        MessageView reply = TestMessage.view(TestMessage.reply(":1.3"));
        assertThat(user.canSend(reply, OTHER, true)).isTrue();
        assertThat(user.canSend(reply, OTHER, false)).isFalse();
    }

    /** Returns the built-in configuration, without the additions of this machine. */
    private static BusConfig systemOnly() throws ConfigException {
        BusConfig config = BusConfig.system();
        return new BusConfig(
                config.type(),
                config.listen(),
                config.auth(),
                config.user(),
                config.fork(),
                config.pidFile(),
                config.syslog(),
                config.keepUmask(),
                config.allowAnonymous(),
                config.serviceFolders(),
                config.serviceHelper(),
                config.limits(),
                config.policies().stream()
                        .filter(block -> block.place().source().startsWith("built-in"))
                        .toList(),
                List.of(),
                List.of());
    }

    @Test
    void aDecisionAmongHundredsOfRulesAllocatesNothing() {
        StringBuilder rules = new StringBuilder(ALLOW + "<deny send_type='method_call'/>");
        for (int i = 0; i < 300; i++) {
            rules.append("<allow send_destination='a.n" + i + "' send_interface='i.f'/>");
            rules.append("<deny send_destination_prefix='b.n" + i + "'/>");
            rules.append("<allow receive_sender='a.n" + i + "'/>");
        }
        PeerPolicy policy = policy(rules.toString());
        MessageView call = TestMessage.view(TestMessage.call("a.n77", "i.f", "M"));
        MessageView reply = TestMessage.view(TestMessage.reply(":1.5"));
        Party receiver = TestParty.of(5, "a.n77", "c.d");

        Allocation.assertNone(() -> {
            if (!policy.canSend(call, receiver, false)
                    || !policy.canReceive(call, receiver, false, false)
                    || !policy.canSend(reply, receiver, true)) {
                throw new AssertionError("denied");
            }
        });
    }

    @ParameterizedTest
    @MethodSource("generators")
    void theIndexDecidesAsTheFirstOfAllRulesFromBehindDoes(Gen gen) {
        StringBuilder rules = new StringBuilder();
        for (int i = gen.between(0, 60); i > 0; i--) {
            rules.append(rule(gen)).append('\n');
        }
        BusConfig config = config(block("context='default'", rules.toString()));
        PeerPolicy policy =
                compiled(config, 0).forPeer(1, new long[] {}, PolicyTest::isNowhere, false);
        List<PolicyRule> all = config.policies().getFirst().rules();
        for (int i = 0; i < 40; i++) {
            MessageView message = message(gen);
            List<String> names = new ArrayList<>();
            for (String name : List.of("a.b", "a.b.c", "?d.e")) {
                if (gen.chance(0.4)) {
                    names.add(name);
                }
            }
            Party other = new TestParty(gen.between(0, 2), names);
            boolean requested = gen.chance(0.5);
            boolean eavesdropping = gen.chance(0.3);

            assertThat(policy.sendRule(message, other, requested))
                    .isSameAs(lastOf(all, true, message, other, requested, false));
            assertThat(policy.receiveRule(message, other, requested, eavesdropping))
                    .isSameAs(lastOf(all, false, message, other, requested, eavesdropping));
        }
    }

    static Stream<Gen> generators() {
        return Gen.cases(100);
    }

    static String rule(Gen gen) {
        boolean send = gen.chance(0.6);
        String side = send ? "send_" : "receive_";
        StringBuilder rule = new StringBuilder(gen.oneOf("<allow ", "<deny "));
        rule.append(side + "type='" + gen.oneOf("*", "method_call", "method_return", "signal"));
        rule.append("' ");
        if (gen.chance(0.6)) {
            String prefix = send && gen.chance(0.4) ? "send_destination_prefix" : null;
            String key =
                    Objects.requireNonNullElse(
                            prefix, send ? "send_destination" : "receive_sender");
            rule.append(
                    key
                            + "='"
                            + gen.oneOf("a.b", "a", "a.b.c", "d.e", UniqueName.of(1), "f.g")
                            + "' ");
        }
        if (gen.chance(0.5)) {
            rule.append(side + "interface='" + gen.oneOf("i.f", "i.g") + "' ");
            if (gen.chance(0.5)) {
                rule.append(side + "member='" + gen.oneOf("M", "N") + "' ");
            }
        } else if (gen.chance(0.3)) {
            rule.append(side + "error='e.E' ");
        }
        if (gen.chance(0.2)) {
            rule.append(side + "path='" + gen.oneOf("/", "/p") + "' ");
        }
        if (gen.chance(0.2)) {
            rule.append(side + "requested_reply='" + gen.chance(0.5) + "' ");
        }
        if (gen.chance(0.2)) {
            rule.append("eavesdrop='" + gen.chance(0.5) + "' ");
        }
        if (send && gen.chance(0.2)) {
            boolean addressed = rule.indexOf("send_destination=") >= 0;
            rule.append("send_broadcast='" + (!addressed && gen.chance(0.5)) + "' ");
        }
        return rule.append("/>").toString();
    }

    private static MessageView message(Gen gen) {
        String path = gen.oneOf("/", "/p");
        String interfaceName = gen.oneOf("i.f", "i.g", "");
        String member = gen.oneOf("M", "N");
        return TestMessage.view(
                switch (gen.between(0, 4)) {
                    case 0 -> TestMessage.reply(":1.1");
                    case 1 -> TestMessage.error(":1.1", gen.oneOf("e.E", "e.F"));
                    case 2 -> TestMessage.signal(path, "i.f", member);
                    case 3 -> TestMessage.signal(path, "i.g", member).destination(":1.1");
                    default -> TestMessage.call("a.b", interfaceName, member);
                });
    }

    /** Decides as dbus-daemon does: all rules in order, by text. */
    private static @Nullable PolicyRule lastOf(
            List<PolicyRule> rules,
            boolean send,
            MessageView message,
            Party other,
            boolean requested,
            boolean eavesdropping) {
        PolicyRule last = null;
        for (PolicyRule rule : rules) {
            if (rule.test() instanceof MessageTest test
                    && test.send() == send
                    && applies(rule.allow(), test, message, other, requested, eavesdropping)) {
                last = rule;
            }
        }
        return last;
    }

    private static boolean applies(
            boolean allow,
            MessageTest test,
            MessageView message,
            Party other,
            boolean requested,
            boolean eavesdropping) {
        if (test.type() != 0 && test.type() != message.type()) {
            return false;
        }
        if (!test.send() && allow && eavesdropping && !test.eavesdrop()) {
            return false;
        }
        if (!test.send() && !allow && !eavesdropping && test.eavesdrop()) {
            return false;
        }
        if (message.replySerial() != 0) {
            if (allow && !requested && test.requestedReply() && !test.eavesdrop()) {
                return false;
            }
            if (!allow && requested && !test.requestedReply()) {
                return false;
            }
        }
        boolean broadcast =
                message.type() == MessageType.SIGNAL && !message.has(HeaderField.DESTINATION);
        if (test.broadcast() != null && test.broadcast() != broadcast) {
            return false;
        }
        if (allow && test.interfaceName() != null && message.interfaceName() == null) {
            return false;
        }
        String peer = test.peer();
        boolean concerned = peer == null || peer.equals(UniqueName.of(other.id()));
        for (int i = 0; i < other.names() && peer != null; i++) {
            concerned |=
                    other.name(i).equals(peer)
                            || (test.peerIsPrefix() && other.name(i).startsWith(peer + "."));
        }
        return concerned
                && fits(test.interfaceName(), message.interfaceName())
                && fits(test.member(), message.member())
                && fits(test.path(), message.path())
                && fits(test.error(), message.errorName());
    }

    private static boolean fits(@Nullable String wanted, @Nullable String value) {
        return wanted == null || value == null || wanted.equals(value);
    }

    private static MessageView call(String destination, String interfaceName, String member) {
        return TestMessage.view(TestMessage.call(destination, interfaceName, member));
    }

    private PeerPolicy policy(@Nullable String rules) {
        return set(block("context='default'", rules == null ? "" : rules))
                .forPeer(1, new long[] {1}, PolicyTest::isNowhere, false);
    }

    private static String block(String scope, String rules) {
        return "<policy " + scope + ">" + rules + "</policy>";
    }

    private PolicySet set(String blocks) {
        return compiled(config(blocks), 5);
    }

    private BusConfig config(String blocks) {
        try {
            Path file = folder.resolve("p.conf");
            Files.writeString(file, "<busconfig>" + blocks + "</busconfig>");
            BusConfig config = BusConfig.load(file);
            assertThat(config.policies()).extracting(PolicyBlock::place).isNotEmpty();
            return config;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (ConfigException e) {
            throw new AssertionError(e);
        }
    }

    private static PolicySet compiled(BusConfig config, long owner) {
        try {
            return new PolicySet(config, Accounts.SYSTEM, owner);
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}
