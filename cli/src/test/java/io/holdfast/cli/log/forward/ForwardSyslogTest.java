package io.holdfast.cli.log.forward;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.run.Run;
import io.holdfast.core.testkit.Await;
import io.holdfast.journal.JournalWriter;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.util.ArrayList;
import java.util.List;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Tests forwarding to a syslog collector over TCP and TLS. */
@Timeout(120)
class ForwardSyslogTest {
    private static final String PASSWORD = "of-a-test";

    @TempDir private Path folder;

    private static SyslogDestination to(ServerSocket server, boolean isTls, SSLContext trust) {
        return new SyslogDestination(
                URI.create("syslog://localhost:" + server.getLocalPort()), isTls, trust);
    }

    /** Receives one connection to its end. */
    private static List<String> receive(ServerSocket server) throws IOException {
        try (Socket client = server.accept()) {
            String text = new String(client.getInputStream().readAllBytes(), UTF_8);
            List<String> messages = new ArrayList<>();
            for (int at = 0; at < text.length(); ) {
                int space = text.indexOf(' ', at);
                int end = space + 1 + Integer.parseInt(text.substring(at, space));
                messages.add(text.substring(space + 1, end));
                at = end;
            }
            return messages;
        }
    }

    @Test
    void aBatchIsDeliveredWhenTheCollectorHasReadAllOfIt() throws Exception {
        try (ServerSocket server = new ServerSocket(0, 4, InetAddress.getLoopbackAddress());
                JournalWriter writer = ForwardStage.writer(folder)) {
            ForwardStage.write(writer, "one", "two\nlines");
            try (ForwardStage stage =
                    new ForwardStage(folder, to(server, false, SSLContext.getDefault()))) {
                List<String> messages = receive(server);
                assertThat(messages).hasSize(2);
                assertThat(messages.getFirst())
                        .matches(
                                "<11>1 20\\d\\d-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{6}Z - - - -"
                                        + " \\[journal@32473 unit=\"web\\.service\"] one");
                assertThat(messages.get(1)).endsWith("two\nlines");
                Await.until(() -> stage.isIdleAfter(2));
            }
        }
    }

    @Test
    void aBatchIsRepeatedIfTheCollectorDiesBefore() throws Exception {
        try (ServerSocket server = new ServerSocket(0, 4, InetAddress.getLoopbackAddress());
                JournalWriter writer = ForwardStage.writer(folder)) {
            ForwardStage.write(writer, "kept");
            try (ForwardStage stage =
                    new ForwardStage(folder, to(server, false, SSLContext.getDefault()))) {
                try (Socket client = server.accept()) {
                    client.setSoLinger(true, 0); // closes as the kernel does after a SIGKILL
                    assertThat(client.getInputStream().read()).isPositive();
                }
                assertThat(receive(server)).singleElement().asString().endsWith(" kept");
                Await.until(() -> stage.isIdleAfter(1));
                assertThat(stage.counters().counters().retried()).isEqualTo(1);
            }
        }
    }

    @Test
    void overTlsTheCertificateDecides() throws Exception {
        Path good = keys("localhost");
        Path bad = keys("elsewhere");
        try (JournalWriter writer = ForwardStage.writer(folder)) {
            ForwardStage.write(writer, "secret");
            try (ServerSocket server = tls(bad);
                    ForwardStage stage =
                            new ForwardStage(folder, to(server, true, Trust.of(pem(bad))));
                    Socket client = server.accept()) {
                assertThat(
                                org.assertj.core.api.Assertions.catchThrowable(
                                        () -> client.getInputStream().readAllBytes()))
                        .isInstanceOf(IOException.class);
                Await.until(() -> stage.warnings.size() == 1);
                assertThat(stage.warnings.getFirst()).contains("No subject alternative DNS name");
            }
            try (ServerSocket server = tls(good);
                    ForwardStage stage =
                            new ForwardStage(folder, to(server, true, Trust.of(pem(good))))) {
                assertThat(receive(server)).singleElement().asString().endsWith(" secret");
                Await.until(() -> stage.isIdleAfter(1));
            }
        }
    }

    /** Makes a key with a certificate for a host. */
    private Path keys(String host) throws Exception {
        Path store = folder.resolve(host + ".p12");
        keytool(
                "-genkeypair",
                "-keyalg",
                "EC",
                "-dname",
                "CN=test",
                "-ext",
                "SAN=dns:" + host,
                "-keystore",
                store.toString());
        keytool(
                "-exportcert",
                "-rfc",
                "-file",
                pem(store).toString(),
                "-keystore",
                store.toString());
        return store;
    }

    private static Path pem(Path store) {
        return store.resolveSibling(store.getFileName() + ".pem");
    }

    private static void keytool(String... arguments) throws Exception {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin/keytool").toString());
        command.addAll(List.of(arguments));
        command.addAll(List.of("-alias", "a", "-storepass", PASSWORD));
        var result = Run.of(command.toArray(String[]::new)).run();
        assertThat(result.exit().isSuccess()).as(result.error() + result.output()).isTrue();
    }

    private static ServerSocket tls(Path keys) throws Exception {
        KeyStore store = KeyStore.getInstance("PKCS12");
        try (InputStream in = Files.newInputStream(keys)) {
            store.load(in, PASSWORD.toCharArray());
        }
        KeyManagerFactory managers =
                KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        managers.init(store, PASSWORD.toCharArray());
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(managers.getKeyManagers(), null, null);
        return context.getServerSocketFactory()
                .createServerSocket(0, 4, InetAddress.getLoopbackAddress());
    }
}
