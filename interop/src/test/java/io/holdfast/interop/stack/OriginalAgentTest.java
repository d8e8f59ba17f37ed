package io.holdfast.interop.stack;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.process.PidFd;
import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.core.testkit.Needs;
import io.holdfast.dbus.BusConnection;
import io.holdfast.dbus.BusInterface;
import io.holdfast.dbus.PolkitSubject;
import io.holdfast.dbus.RemoteObject;
import io.holdfast.dbus.wire.Struct;
import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * An agent that speaks to the helper as libpolkit-agent of polkit 127 does, byte for byte and at
 * polkit's own path, which a drop-in adds to the socket of our helper.
 */
@Timeout(300)
@Needs(
        root = true,
        cgroup2 = true,
        programs = {"unshare", "nsenter", "openssl", "setpriv"})
class OriginalAgentTest {
    private static final String POLKIT = "org.freedesktop.PolicyKit1";
    private static final String PATH = "/org/freedesktop/PolicyKit1/Authority";
    private static final String ACTION = "org.holdfast.interop.asked";
    private static final String SOCKET = "/run/polkit/agent-helper.socket";
    private static final long ALWAYS_INTERACTIVE = 3;

    private StackStage stage;

    @BeforeEach
    void start() throws Exception {
        stage = StackStage.open(StackStage.Accounts.WITHOUT);
        stage.write(
                "/etc/systemd/system/polkit-agent-helper.socket.d/10-polkit.conf",
                "[Socket]\nListenStream=" + SOCKET + "\n");
        stage.write(
                "/etc/polkit-1/actions/asked.policy",
                """
                <?xml version="1.0" encoding="UTF-8"?>
                <policyconfig><action id="%s"><message>Act</message>
                <defaults><allow_any>auth_admin</allow_any></defaults></action></policyconfig>
                """
                        .formatted(ACTION));
        RunningProgram _ = stage.ready();
    }

    @AfterEach
    void end() {
        if (stage != null) {
            stage.close();
            assertThat(stage.hasCgroup()).isFalse();
        }
    }

    /** Plays the agent; returns what the helper and the agent sent. */
    private String dialog(String cookie, String password) throws IOException, InterruptedException {
        UnixAddress address = UnixAddress.path(stage.file(SOCKET));
        try (UnixSocket helper = UnixSocket.connect(address, SocketType.STREAM)) {
            InputStream in = helper.inputStream();
            write(helper, StackStage.USER + "\n");
            write(helper, cookie + "\n");
            String prompt = line(in);
            write(helper, password + "\n");
            return prompt + new String(in.readAllBytes(), US_ASCII);
        }
    }

    private static void write(UnixSocket socket, String text) throws IOException {
        socket.outputStream().write(text.getBytes(US_ASCII));
    }

    private static String line(InputStream in) throws IOException {
        StringBuilder line = new StringBuilder();
        for (int b = in.read(); b >= 0; b = in.read()) {
            line.append((char) b);
            if (b == '\n') {
                break;
            }
        }
        return line.toString();
    }

    @Test
    void itIsServedByOurHelperAtItsOwnPlace() throws Exception {
        BlockingQueue<String> said = new LinkedBlockingQueue<>();
        BlockingQueue<String> passwords =
                new LinkedBlockingQueue<>(List.of("wrong pony", StackStage.PASSWORD));
        BusInterface agent =
                BusInterface.named(POLKIT + ".AuthenticationAgent")
                        .concurrent()
                        .method(
                                "BeginAuthentication",
                                "sssa{ss}sa(sa{sv})",
                                "",
                                call -> {
                                    said.add(dialog(call.string(4), passwords.take()));
                                    return List.of();
                                })
                        .method("CancelAuthentication", "s", "", _ -> List.of())
                        .build();
        String bus = "unix:path=" + stage.file(StackStage.RUNTIME + "/bus");
        try (BusConnection client = BusConnection.connect(bus);
                PidFd self = PidFd.self()) {
            client.export("/agent", agent);
            RemoteObject authority = client.object(POLKIT, PATH);
            Struct root = PolkitSubject.held(self, 0);
            var _ =
                    authority.call(
                            POLKIT + ".Authority",
                            "RegisterAuthenticationAgent",
                            "(sa{sv})ss",
                            root,
                            "C",
                            "/agent");

            assertThat(isAuthorized(authority, root)).isFalse();
            assertThat(said.take()).isEqualTo("PAM_PROMPT_ECHO_OFF Password: \nFAILURE\n");
            assertThat(isAuthorized(authority, root)).isTrue();
            assertThat(said.take()).isEqualTo("PAM_PROMPT_ECHO_OFF Password: \nSUCCESS\n");
        }
    }

    private static boolean isAuthorized(RemoteObject authority, Struct subject) throws Exception {
        Struct result =
                (Struct)
                        authority
                                .call(
                                        POLKIT + ".Authority",
                                        "CheckAuthorization",
                                        "(sa{sv})sa{ss}us",
                                        subject,
                                        ACTION,
                                        Map.of(),
                                        ALWAYS_INTERACTIVE,
                                        "")
                                .getFirst();
        return result.get(0).equals(true);
    }
}
