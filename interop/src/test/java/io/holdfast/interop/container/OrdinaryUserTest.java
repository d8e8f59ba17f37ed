package io.holdfast.interop.container;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * Servers that a user without capabilities and without an account runs in a container, by units of
 * its own.
 */
class OrdinaryUserTest extends ServersTest {
    OrdinaryUserTest() {
        super(
                PlainContainer.Setting.ORDINARY_USER,
                Set.of(
                        "redis.service",
                        "memcached.service",
                        "nginx.service",
                        "apache.service",
                        "haproxy.service",
                        "tor.service"));
    }

    @BeforeAll
    void writeUnits() throws Exception {
        String _ = container().run(PlainContainer.resource("ordinary-user.sh"));
        holdfast("daemon-reload", "");
    }

    @Override
    Optional<String> prepare(Server server) {
        return container().answers(server.preparation(), "")
                ? Optional.of(server.unit())
                : Optional.empty();
    }

    @Test
    void itDoesNotTryToMakeFoldersAndUsersOfTheSystem() {
        assertThat(container().init().written())
                .doesNotContain("machine-id", "systemd-sysusers", "systemd-tmpfiles");
    }
}
