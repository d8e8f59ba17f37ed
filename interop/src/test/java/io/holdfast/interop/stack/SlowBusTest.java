package io.holdfast.interop.stack;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.process.Exit;
import io.holdfast.core.testkit.Needs;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A stack on a machine that is so busy that its bus is late. */
@Timeout(300)
@Needs(
        root = true,
        cgroup2 = true,
        programs = {"unshare", "nsenter", "openssl", "gdbus"})
class SlowBusTest {
    @Test
    void theManagerWaitsForTheBusAndIsOnItThen() throws Exception {
        try (StackStage stage = StackStage.open(StackStage.Accounts.WITH)) {
            stage.write(
                    "/run/late/dbus.service.d/late.conf",
                    "[Service]\nExecStartPre=/bin/cat /run/begin\n");
            // The authority gives up after ten seconds: it starts after the bus.
            stage.write("/run/late/polkit.service.d/late.conf", "[Unit]\nAfter=dbus.service\n");
            assertThat(stage.run("mkfifo", "--mode=666", "/run/begin"))
                    .isEqualTo(new Exit.Exited(0));
            RunningProgram up = stage.up("--units", "/run/late");
            up.await("the manager is not on the bus yet: ");
            assertThat(stage.run("sh", "-c", "echo >/run/begin")).isEqualTo(new Exit.Exited(0));
            up.await("holdfast: ready");

            String name = "org.freedesktop.systemd1";
            assertThat(stage.output("gdbus", "wait", "--system", "--timeout=100", name)).isEmpty();
            StackStage.stop(up);
        }
    }
}
