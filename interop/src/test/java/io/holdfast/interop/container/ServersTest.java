package io.holdfast.interop.container;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.Needs;
import io.holdfast.interop.Checkout;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Servers of the distribution, with their own unit files, in a container: each is started, answers
 * a client, is restarted, reloaded and stopped, and leaves no process.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(1200)
@Needs(
        root = true,
        cgroup2 = true,
        programs = {"crun", "unshare", "nsenter", "systemctl"})
abstract class ServersTest {
    private static final Set<String> OF_THE_STACK = Set.of("sh", "java", "bash", "ps");

    private final PlainContainer.Setting setting;
    private final Set<String> always;
    private PlainContainer container;

    /**
     * @param always the units that are started also in a short run
     */
    ServersTest(PlainContainer.Setting setting, Set<String> always) {
        this.setting = setting;
        this.always = always;
    }

    @BeforeAll
    void start(@TempDir Path folder) throws Exception {
        Checkout.requireForAll();
        container = boot(setting, folder);
        container.init().await("holdfast: ready");
    }

    /** Starts the container. */
    PlainContainer boot(PlainContainer.Setting setting, Path folder) throws IOException {
        return isOfUser()
                ? PlainContainer.start(setting, folder, "up", "--user", "holdfast.target")
                : PlainContainer.start(setting, folder, "up", "holdfast.target");
    }

    @AfterAll
    void stop() throws Exception {
        if (container != null) {
            container.end();
        }
    }

    private boolean isOfUser() {
        return setting == PlainContainer.Setting.ORDINARY_USER;
    }

    PlainContainer container() {
        return container;
    }

    List<Server> servers() throws IOException {
        return Server.of(isOfUser() ? "ordinary-user.txt" : "servers.txt", always);
    }

    /** Returns the unit of a server among the files of the container; empty if it is not there. */
    Optional<String> installed(Server server) throws IOException {
        return server.installed();
    }

    /** Prepares a server, and returns its unit; empty if the server is not installed. */
    Optional<String> prepare(Server server) throws Exception {
        Optional<String> unit = installed(server);
        if (unit.isPresent() && !server.preparation().isEmpty()) {
            String _ = container.run(server.preparation());
            holdfast("daemon-reload", "");
        }
        return unit;
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("servers")
    @Timeout(300) // squid waits for its clients at each stop
    void aServerStartsAnswersRestartsReloadsAndStops(Server server) throws Exception {
        Optional<String> unit = prepare(server);
        assumeTrue(unit.isPresent(), () -> "needs Debian's package of " + server);
        assertRunsAndStops(unit.get(), server.client(), server.answer());
    }

    void assertRunsAndStops(String unit, String client, String answer) throws Exception {
        try {
            holdfast("start", unit);
            assertThat(systemctl("is-active", unit)).isEqualTo("active");
            Await.until(() -> container.answers(client, answer));
            holdfast("restart", unit);
            Await.until(() -> container.answers(client, answer));
            if (systemctl("show", "-P", "CanReload", unit).equals("yes")) {
                holdfast("reload", unit);
                Await.until(() -> container.answers(client, answer));
            }
        } finally { // with a socket that would start it again
            holdfast("stop", unit + " " + systemctl("show", "-P", "TriggeredBy", unit));
            String others = others();
            if (!others.isEmpty()) {
                holdfast("stop", others);
            }
        }
        assertThat(systemctl("show", "-P", "ActiveState", unit)).isEqualTo("inactive");
        container.awaitOnly(OF_THE_STACK);
    }

    /**
     * Returns the units that the start of a server may have started, too, and its stop does not
     * stop.
     */
    String others() throws Exception {
        return "";
    }

    void holdfast(String verb, String unit) throws Exception {
        String user = isOfUser() ? " --user " : " ";
        String _ = container.run(PlainContainer.HOLDFAST + " " + verb + user + unit);
    }

    private String systemctl(String... words) throws Exception {
        return container.run(
                "systemctl " + (isOfUser() ? "--user " : "") + String.join(" ", words));
    }
}
