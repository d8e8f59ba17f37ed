package io.holdfast.bus;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.bus.config.BusConfig;
import io.holdfast.dbus.marshal.MessageWriter;
import io.holdfast.dbus.wire.Message;
import io.holdfast.dbus.wire.MessageType;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Policies apply to requested replies, and to the messages of the bus itself. */
@Timeout(60)
class ReplyPolicyTest {
    @TempDir private Path folder;

    private TestBus bus(String rules) throws Exception {
        Path file =
                Files.writeString(
                        folder.resolve("bus.conf"),
                        """
                        <busconfig>
                          <policy context="default">
                            <allow user="*"/><allow own="*"/>
                            <allow send_type="method_call"/><allow send_type="signal"/>
                            <allow send_requested_reply="true" send_type="method_return"/>
                            <allow send_requested_reply="true" send_type="error"/>
                            <allow receive_type="method_call"/><allow receive_type="signal"/>
                            <allow receive_type="method_return"/><allow receive_type="error"/>
                            %s
                          </policy>
                        </busconfig>
                        """
                                .formatted(rules));
        return TestBus.ours(BusConfig.load(file));
    }

    /** Answers a call, and returns what the caller receives. */
    private static Message answered(TestClient caller, TestClient callee, boolean good)
            throws InterruptedException {
        int serial = caller.send(caller.call(callee.name(), "Ask"));
        Message call = callee.read();
        MessageWriter reply = callee.writer();
        int _ =
                callee.send(
                        (good
                                        ? reply.methodReturn(call.serial())
                                        : reply.error("e.Failed", call.serial()))
                                .destination(caller.name()));
        return caller.answer(serial);
    }

    @Test
    void aReplyThatMayNotBeSentIsTheCallersErrorAtOnce() throws Exception {
        try (TestBus bus =
                bus("<deny send_requested_reply=\"true\" send_type=\"method_return\"/>")) {
            TestClient caller = bus.connect();
            TestClient callee = bus.connect();

            Message answer = answered(caller, callee, true);
            assertThat(answer.errorName()).contains("org.freedesktop.DBus.Error.NoReply");
            assertThat(answer.values().getFirst().toString())
                    .contains(
                            callee.name(), "send this", "send_type=\"method_return\"", "bus.conf");
            assertThat(answered(caller, callee, false).errorName()).contains("e.Failed");
            assertThat(callee.heard()).isEmpty();
        }
    }

    @Test
    void aReplyThatMayNotBeReceivedIsTheCallersErrorAtOnce() throws Exception {
        try (TestBus bus =
                bus(
                        "<deny receive_type='error' receive_error='e.Failed'"
                                + " receive_requested_reply='true'/>")) {
            TestClient caller = bus.connect();
            TestClient callee = bus.connect();

            Message answer = answered(caller, callee, false);
            assertThat(answer.errorName()).contains("org.freedesktop.DBus.Error.NoReply");
            assertThat(answer.values().getFirst().toString()).contains("receive this");
            assertThat(answered(caller, callee, true).type()).isEqualTo(MessageType.METHOD_RETURN);
        }
    }

    @Test
    void whatTheBusSaysIsHeldAgainstWhatTheReceiverMayGet() throws Exception {
        try (TestBus bus =
                bus(
                        """
                        <deny receive_type="signal" receive_interface="org.freedesktop.DBus"
                            receive_member="NameLost"/>
                        <deny receive_type="error" receive_requested_reply="true"
                            receive_error="org.freedesktop.DBus.Error.NameHasNoOwner"/>
                        """)) {
            TestClient client = bus.connect();
            var _ = client.heard();
            assertThat(client.query("RequestName", "a.b", 0)).isEqualTo(1L);
            assertThat(client.heard()).hasSize(1).first().asString().contains("NameAcquired");
            assertThat(client.query("ReleaseName", "a.b")).isEqualTo(1L);
            int _ = client.send(client.toBus("org.freedesktop.DBus", "GetNameOwner", "a.b"));
            assertThat(client.heard()).isEmpty();
            assertThat(client.callBus("NoSuchMember").errorName())
                    .contains("org.freedesktop.DBus.Error.UnknownMethod");
        }
    }
}
