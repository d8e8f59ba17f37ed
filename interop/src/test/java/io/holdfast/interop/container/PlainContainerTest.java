package io.holdfast.interop.container;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Servers in a container with the default capabilities and seccomp filter of the runtimes. */
class PlainContainerTest extends ServersTest {
    PlainContainerTest() {
        super(
                PlainContainer.Setting.DEFAULT,
                Set.of(
                        "redis-server.service",
                        "memcached.service",
                        "nginx.service",
                        "apache2.service",
                        "postfix.service",
                        "postgresql@*-holdfast.service",
                        "tor@default.service"));
    }

    @Test
    void whatTheContainerHasToGrantIsSaidByVerifyAndStatus() throws Exception {
        assumeTrue(
                Files.exists(Path.of("/usr/lib/systemd/system/redis-server.service")),
                "needs redis-server");
        String verify = PlainContainer.HOLDFAST + " verify redis-server";
        assertThat(container().run(verify))
                .contains(
                        "PrivateTmp= is not applied: the manager has no CAP_SYS_ADMIN; a container"
                                + " gets it with --cap-add SYS_ADMIN: /tmp is shared with everybody")
                .doesNotContain("SystemCallArchitectures= is not supported");
        holdfast("start", "redis-server");
        assertThat(container().run(PlainContainer.HOLDFAST + " status redis-server"))
                .contains("Tracked: by subreaper and walk: ")
                .containsPattern(
                        "Not applied: .*PrivateTmp=.*: the manager has no CAP_SYS_ADMIN; a container"
                                + " gets it with --cap-add SYS_ADMIN\n");
        holdfast("stop", "redis-server");
        assertThat(container().run(verify + " --strict >/dev/null || echo $?")).isEqualTo("1");
    }
}
