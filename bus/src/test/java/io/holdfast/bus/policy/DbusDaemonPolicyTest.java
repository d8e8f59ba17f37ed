package io.holdfast.bus.policy;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.bus.config.BusConfig;
import io.holdfast.core.process.Accounts;
import io.holdfast.core.testkit.Gen;
import io.holdfast.core.testkit.Needs;
import io.holdfast.dbus.wire.MessageType;
import io.holdfast.dbus.wire.MessageView;
import io.holdfast.dbus.wire.MessageWriter;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The policies of others mean what they mean to dbus-daemon: the same rules, the same messages.
 *
 * <p>One kind of rule is left out, where dbus-daemon 1.16 does not do what it documents: a rule for
 * any message that has only {@code send_broadcast}, {@code eavesdrop} or a requested reply as its
 * condition makes it forget all rules before, also for messages that do not meet that condition.
 */
@Timeout(60)
@Needs(programs = "dbus-daemon")
class DbusDaemonPolicyTest {
    private static final Accounts ACCOUNTS = Accounts.SYSTEM;

    @TempDir private Path folder;

    @ParameterizedTest
    @MethodSource("generators")
    void dbusDaemonDecidesTheSame(Gen gen) throws Exception {
        List<String> names = new ArrayList<>();
        for (String name : List.of("a.b", "a.b.c", "?d.e")) {
            if (gen.chance(0.6)) {
                names.add(name);
            }
        }
        StringBuilder rules = new StringBuilder();
        for (int i = gen.between(1, 12); i > 0; i--) {
            String rule = PolicyTest.rule(gen);
            rules.append(speaksOfAll(rule) ? "" : rule + "\n");
        }
        Path socket = folder.resolve("bus");
        Path file = folder.resolve("bus.conf");
        Files.writeString(file, configuration(socket, rules.toString()));
        PolicySet set = new PolicySet(BusConfig.load(file), ACCOUNTS, 0);
        PeerPolicy policy = set.forPeer(0, new long[] {0}, Optional::empty, false);
        Process daemon = start(file);
        try (BufferedReader address = daemon.inputReader()) {
            assertThat(address.readLine()).startsWith("unix:path=" + socket);
            try (RawClient sender = new RawClient(socket);
                    RawClient owner = new RawClient(socket);
                    RawClient receiver = new RawClient(socket)) {
                for (String name : names) {
                    if (name.startsWith("?")) {
                        owner.requestName(name.substring(1));
                        receiver.requestName(name.substring(1));
                    } else {
                        receiver.requestName(name);
                    }
                }
                var _ = receiver.callBus("AddMatch", "path_namespace='/'");
                var _ = receiver.received();
                Party from = new TestParty(Party.uniqueId(sender.name()), List.of());
                Party to = new TestParty(Party.uniqueId(receiver.name()), names);
                for (int i = 0; i < 30; i++) {
                    boolean asked = gen.chance(0.3);
                    int call = asked ? callOfReceiver(sender, receiver) : 0;
                    MessageWriter message = message(gen, receiver.name(), call, asked);
                    boolean requested = asked && call != 0;
                    int serial = sender.send(message);
                    MessageView view = TestMessage.view(message);
                    boolean expected =
                            policy.canSend(view, to, requested)
                                    && policy.canReceive(view, from, requested, false);
                    List<MessageView> answers = sender.received();

                    assertThat(receiver.received())
                            .as(
                                    "%s: %s, asked for: %s, answered %s, by rules\n%s",
                                    gen, view, requested, answers, rules)
                            .filteredOn(got ->
                                    got.serial() == serial && sender.name().equals(got.sender()))
                            .hasSize(expected ? 1 : 0);
                }
            }
        } finally {
            daemon.destroy();
            assertThat(daemon.waitFor()).isNotNegative();
        }
    }

    static Stream<Gen> generators() {
        return Gen.cases(25);
    }

    private static boolean speaksOfAll(String rule) {
        return rule.contains("_type='*'")
                && !rule.matches(
                        ".*_(destination|destination_prefix|sender|interface|path|error)=.*");
    }

    /** What all need to be there, the bus itself, is allowed last. */
    private static String configuration(Path socket, String rules) {
        return """
        <busconfig>
          <listen>unix:path=%s</listen>
          <auth>EXTERNAL</auth>
          <policy context="default"><allow user="*"/><allow own="*"/>
          %s</policy>
          <policy context="mandatory">
            <allow send_destination="org.freedesktop.DBus"/>
            <allow receive_sender="org.freedesktop.DBus"/>
          </policy>
        </busconfig>
        """
                .formatted(socket, rules);
    }

    private static Process start(Path file) throws IOException {
        return new ProcessBuilder(
                        "dbus-daemon",
                        "--nofork",
                        "--nopidfile",
                        "--nosyslog",
                        "--print-address",
                        "--config-file=" + file)
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
    }

    /**
     * The receiver calls the sender, if it may.
     *
     * @return the call's serial; 0 if it did not arrive
     */
    private static int callOfReceiver(RawClient sender, RawClient receiver) throws IOException {
        int serial = receiver.send(TestMessage.call(sender.name(), "i.f", "M"));
        var _ = receiver.received();
        return sender.received().stream()
                        .anyMatch(got ->
                                got.type() == MessageType.METHOD_CALL && got.serial() == serial)
                ? serial
                : 0;
    }

    private static MessageWriter message(Gen gen, String receiver, int call, boolean reply) {
        String path = gen.oneOf("/", "/p");
        String interfaceName = gen.oneOf("i.f", "i.g", "");
        String member = gen.oneOf("M", "N");
        if (reply) {
            int serial = call == 0 ? 77_777 : call;
            return gen.chance(0.5)
                    ? new MessageWriter().methodReturn(serial).serial(1).destination(receiver)
                    : new MessageWriter()
                            .error(gen.oneOf("e.E", "e.F"), serial)
                            .serial(1)
                            .destination(receiver);
        }
        return switch (gen.between(0, 2)) {
            case 0 -> TestMessage.signal(path, gen.oneOf("i.f", "i.g"), member);
            case 1 -> TestMessage.signal(path, "i.g", member).destination(receiver);
            default -> TestMessage.call(receiver, interfaceName, member);
        };
    }
}
