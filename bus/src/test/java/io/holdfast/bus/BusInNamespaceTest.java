package io.holdfast.bus;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.bus.config.BusConfig;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.process.Stdio;
import io.holdfast.core.testkit.ChildJvm;
import io.holdfast.core.testkit.Needs;
import io.holdfast.core.testkit.ScratchCgroup;
import io.holdfast.dbus.address.BusAddress;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A bus in a PID namespace, whose clients are outside of it. */
@Timeout(120)
@Needs(root = true, cgroup2 = true, programs = "unshare")
class BusInNamespaceTest {
    @TempDir private Path folder;

    /** Runs the bus in a separate JVM until its input ends. */
    static final class InnerBus {
        public static void main(String[] arguments) throws Exception {
            BusAddress address = BusAddress.parse("unix:path=" + arguments[0]);
            try (Bus bus = Bus.open(address, BusConfig.permissive())) {
                System.out.println("ready " + bus.addresses());
                int ended = System.in.read();
                System.out.println("ended " + ended);
            }
        }
    }

    @Test
    void whoIsOutsideOfItsCgroupsIsPutOffAsAnybody() throws Exception {
        String path = folder.resolve("bus").toString();
        List<String> command = new ArrayList<>(List.of("unshare", "--cgroup"));
        command.addAll(ChildJvm.command(List.of(), InnerBus.class, path));
        try (ScratchCgroup scratch = ScratchCgroup.create();
                Child bus =
                        Spawn.of(command)
                                .cgroup(scratch.cgroup())
                                .stdin(Stdio.pipe())
                                .stdout(Stdio.pipe())
                                .stderr(Stdio.devNull())
                                .start()) {
            BufferedReader said =
                    new BufferedReader(new InputStreamReader(bus.stdout(), StandardCharsets.UTF_8));
            assertThat(said.readLine()).startsWith("ready ");
            try (TestClient client = TestClient.silent("unix:path=" + path)) {
                client.sendBytes("no D-Bus".getBytes(StandardCharsets.US_ASCII));

                assertThat(client.untilClosed()).isEmpty();
            }
            bus.stdin().close();
            assertThat(bus.await().isSuccess()).isTrue();
        }
    }
}
