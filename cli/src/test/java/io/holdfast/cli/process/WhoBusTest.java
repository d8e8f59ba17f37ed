package io.holdfast.cli.process;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.bus.Bus;
import io.holdfast.bus.config.BusConfig;
import io.holdfast.cli.Invocation;
import io.holdfast.cli.Program;
import io.holdfast.cli.command.ExitCode;
import io.holdfast.core.Feature;
import io.holdfast.core.testkit.Needs;
import io.holdfast.dbus.BusConnection;
import io.holdfast.dbus.address.BusAddress;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Tests {@code who} with bus names. */
@Timeout(60)
class WhoBusTest {
    private static final String SELF = Long.toString(ProcessHandle.current().pid());

    @TempDir private Path folder;

    private BusAddress address() {
        return BusAddress.parse("unix:path=" + folder.resolve("bus"));
    }

    @Test
    @Needs(features = Feature.PEER_PIDFD)
    void itIsHeldByTheDescriptorThatTheBusHasOfIt() throws Exception {
        try (Bus bus = Bus.open(address(), BusConfig.permissive());
                BusConnection client = BusConnection.connect(address().toString())) {
            var _ = client.requestName("a.b");
            for (String name : List.of(client.uniqueName(), "a.b")) {
                Invocation who = Invocation.of("who", "--bus", address().toString(), name);

                assertThat(who.err()).isEmpty();
                assertThat(who.out())
                        .startsWith("name        " + name + "\n")
                        .contains(
                                "peer        held by the bus since it connected (ProcessFD)\n",
                                "process     " + SELF + ":");
                assertThat(who.code()).isZero();
            }
            assertThat(
                            Invocation.of(
                                            "who",
                                            "--json",
                                            "--bus",
                                            bus.addresses().getFirst().toString(),
                                            "a.b")
                                    .out())
                    .contains(
                            "\"pid\":" + SELF + ",",
                            "\"busName\":\"a.b\",\"held\":true,\"peerUid\":")
                    .hasLineCount(1);
        }
    }

    @Test
    void aNameOfNobodyIsRefusedInOneLine() {
        try (Bus _ = Bus.open(address(), BusConfig.permissive())) {
            for (String name : List.of("no.body", ":1.4711")) {
                Invocation who = Invocation.of("who", "--bus", address().toString(), name);

                assertThat(who.code()).isEqualTo(ExitCode.FAILURE);
                assertThat(who.out()).isEmpty();
                assertThat(who.err())
                        .startsWith("holdfast: ")
                        .endsWith(": name " + name + " has no owner\n")
                        .hasLineCount(1);
            }
        }
    }

    @Test
    void whatIsNoNameIsNotUnderstood() {
        Invocation who = Invocation.of("who", "--bus", address().toString(), "4711");

        assertThat(who.code()).isEqualTo(ExitCode.USAGE);
        assertThat(who.err()).startsWith("holdfast: not a bus name: '4711'");
    }

    @Test
    void aBusThatIsNotThereIsNamed() {
        Invocation who = Invocation.of("who", "--bus", address().toString(), ":1.7");

        assertThat(who.code()).isEqualTo(ExitCode.FAILURE);
        assertThat(who.err()).contains(folder.resolve("bus").toString()).hasLineCount(1);
    }

    /** The bus runs as on a kernel without SO_PEERPIDFD. */
    @Test
    void fromABusThatHoldsNobodyItIsANumberAndSaidToBe() throws Exception {
        String address = address().toString();
        Process bus =
                new ProcessBuilder(
                                Program.command(
                                        List.of("-Dio.holdfast.without=PEER_PIDFD"),
                                        "bus",
                                        "--address",
                                        address,
                                        "--print-address"))
                        .redirectError(folder.resolve("log").toFile())
                        .start();
        try (var output = bus.inputReader()) {
            assertThat(output.readLine()).startsWith(address);
            try (BusConnection client = BusConnection.connect(address)) {
                String name = client.uniqueName();
                assertThat(Invocation.of("who", "--bus", address, name).out())
                        .startsWith("name        " + name + "\n")
                        .contains(
                                "peer        not held: this bus reports a PID, but no pidfd (ProcessID)\n",
                                "pid         " + SELF + " (PID only; it may have been reused)\n",
                                "user        ")
                        .doesNotContain("process     ");
                assertThat(Invocation.of("who", "--json", "--bus", address, name).out())
                        .contains(
                                "\"process\":null,\"pid\":" + SELF + ",",
                                "\"busName\":\"" + name + "\",\"held\":false,");
            }
        } finally {
            bus.destroy();
            assertThat(bus.waitFor()).isNotEqualTo(-1);
        }
    }
}
