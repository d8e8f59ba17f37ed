package io.holdfast.interop.container;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.Needs;
import io.holdfast.interop.Checkout;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Kills the manager of a container, and at times its bus, at random moments while services run. The
 * keeper is PID 1 and starts the next manager. Two hundred kills in a long run; {@code
 * -Dholdfast.kills.seed=} repeats the moments of a run.
 *
 * <p>The journal has each line of a service once. The terminal misses none, but a manager that is
 * killed between a write and the record of it ({@code PrintedPosition}) has the next one repeat it.
 */
@Timeout(3600)
@Needs(
        root = true,
        cgroup2 = true,
        programs = {"crun", "unshare", "nsenter", "systemctl", "journalctl"})
class KilledInitTest {
    private static final int KILLS = Server.ALL ? 200 : 5;
    private static final long SEED = Long.getLong("holdfast.kills.seed", System.nanoTime());
    private static final int MOST_MILLIS = 500;
    private static final int OF_BUS = 4; // each fourth kill

    private static final String COUNTER = "counter.service | ";
    private static final int REPEATED =
            64; // by one manager: as many are printed between two records
    private static final int SHOWN_BREAKS = 3;
    private static final int AROUND = 4; // numbers before and after one

    /** The manager is a child of PID 1, and so is the bus once its manager was killed. */
    private static final String KILL_MANAGER =
            """
            for process in $(ps -o pid= --ppid 1); do
                case $(tr '\\0' ' ' 2>/dev/null </proc/$process/cmdline) in
                *'Holdfast up '*) kill -KILL $process ;;
                esac
            done
            """;

    /** The next manager may not answer yet, and a bus that starts again may have no process. */
    private static final String KILL_BUS =
            "until pid=$(systemctl show -P MainPID dbus.service) && [ \"$pid\" -gt 1 ]; do sleep 0.1; done;"
                    + " kill -KILL $pid";

    private static final String STORED =
            "journalctl --sync; journalctl --no-pager -q -o cat _SYSTEMD_UNIT=counter.service";

    private static final String FORKED = "ps -o pid=,args= -C sleep | grep 'sleep [12]000'";

    @TempDir private Path folder;

    @Test
    void nothingIsLostAndNothingIsLeft() throws Exception {
        Checkout.requireForAll();
        List<String> up =
                List.of(
                        "/usr/bin/env",
                        "JDK_JAVA_OPTIONS=-Dio.holdfast.manager.crashPause=1"
                                + " -Dio.holdfast.manager.keeperReap=100",
                        PlainContainer.HOLDFAST,
                        "up",
                        "holdfast.target");
        try (PlainContainer container =
                PlainContainer.start(
                        PlainContainer.Setting.DEFAULT, folder, up, config -> config)) {
            container.init().await("holdfast: ready");
            String _ =
                    container.run(
                            """
                            mkdir -p /run/systemd/system
                            cd /run/systemd/system
                            printf '[Service]\\nExecStart=/bin/sh -c "i=0; while :; do i=$$((i+1)); echo $$i; sleep 0.02; done"\\n' >counter.service
                            printf '[Service]\\nType=forking\\nExecStart=/bin/sh -c "sleep 1000 & sleep 2000 & exit"\\n' >forks.service
                            systemctl daemon-reload
                            systemctl start counter.service forks.service
                            """);
            // a shell that was forked becomes sleep(1) after its parent has exited
            String processes =
                    container.run(
                            "until [ $(%1$s | wc -l) = 2 ]; do sleep 0.1; done; %1$s"
                                    .formatted(FORKED));
            Random random = new Random(SEED);
            for (int i = 1; i <= KILLS; i++) {
                LockSupport.parkNanos(Duration.ofMillis(random.nextInt(MOST_MILLIS)).toNanos());
                if (i % OF_BUS == 0) {
                    String _ = container.run(KILL_BUS);
                    container.init().await("dbus.service: started process");
                } else {
                    String _ = container.run(KILL_MANAGER);
                    container.init().await("the manager before this one");
                }
            }
            Await.until(
                    () -> container.answers("systemctl is-active counter forks", "active\nactive"));
            assertThat(container.run(FORKED)).isEqualTo(processes);
            String _ = container.run("systemctl stop counter.service forks.service");
            container.awaitOnly(Set.of("sh", "java", "bash", "ps"));
            String stored = container.run(STORED);
            container.end();
            assertThat(breaks(stored)).as("in the journal, seed %d", SEED).isEmpty();
            String printed = printed(container.init().written());
            String once = printed.lines().distinct().collect(Collectors.joining("\n"));
            assertThat(breaks(once)).as("printed, seed %d", SEED).isEmpty();
            assertThat(printed.lines().count() - once.lines().count())
                    .as("repeated, seed %d", SEED)
                    .isLessThanOrEqualTo((long) KILLS * REPEATED);
        }
    }

    private static String printed(String written) {
        return written.lines()
                .filter(line -> line.startsWith(COUNTER))
                .map(line -> line.substring(COUNTER.length()))
                .collect(Collectors.joining("\n"));
    }

    /** Returns the first numbers that do not follow upon the one before, with those around them. */
    private static List<String> breaks(String lines) {
        List<Integer> counted = lines.lines().map(Integer::valueOf).toList();
        return IntStream.range(0, counted.size())
                .filter(i -> counted.get(i) != (i == 0 ? 1 : counted.get(i - 1) + 1))
                .limit(SHOWN_BREAKS)
                .mapToObj(i ->
                        "line %d is %d: … %s …"
                                .formatted(
                                        i + 1,
                                        counted.get(i),
                                        counted.subList(
                                                Math.max(0, i - AROUND),
                                                Math.min(counted.size(), i + AROUND))))
                .toList();
    }
}
