package io.holdfast.cli.process;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.bus.Bus;
import io.holdfast.bus.config.BusConfig;
import io.holdfast.cli.CommandProcess;
import io.holdfast.cli.Invocation;
import io.holdfast.core.Feature;
import io.holdfast.core.Signal;
import io.holdfast.core.process.Cgroup;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.process.Stdio;
import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.socket.UnixListener;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.Needs;
import io.holdfast.core.testkit.ScratchCgroup;
import io.holdfast.dbus.BusConnection;
import io.holdfast.dbus.address.BusAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
@Needs(cgroup2 = true)
class ProcessTreeTest {
    private static final String UNIT =
            "holdfast-tree-" + ProcessHandle.current().pid() + ".service";
    private static final String MEMORY =
            "  [0-9.]+ (B|KiB|MiB|GiB)( \\(sum of resident memory\\))?";

    @TempDir private Path folder;

    private static Child sleep(Cgroup cgroup) {
        Child sleep = Spawn.of("sleep", "600").cgroup(cgroup).start();
        Await.until(() -> sleep.pidFd().proc().commandLine().contains("600"));
        return sleep;
    }

    /** Returns the line that the tree shows for the process. */
    private static String line(Child sleep) {
        return "\\Q" + sleep.pidFd().processId().inThisBoot() + "\\E  [0-9.]+ [KM]iB  sleep 600";
    }

    private static void end(Child child) throws InterruptedException {
        assertThat(child.signal(Signal.KILL)).isTrue();
        assertThat(child.await().isSuccess()).isFalse();
    }

    @Test
    void aUnitIsShownWithItsCgroupsAndProcesses() throws Exception {
        try (ScratchCgroup scratch = ScratchCgroup.create();
                Cgroup unit = scratch.cgroup().create(UNIT);
                Cgroup inner = unit.create("inner");
                Cgroup _ = unit.create("empty");
                Child outer = sleep(unit);
                Child deeper = sleep(inner)) {
            for (String word : List.of(UNIT, UNIT.replace(".service", ""), unit.path().path())) {
                Invocation tree = Invocation.of("info", "--tree", word);
                assertThat(tree.err()).isEmpty();
                assertThat(tree.code()).isZero();
                List<String> lines = tree.out().lines().toList();
                assertThat(lines).hasSize(4);
                assertThat(lines.get(0)).matches("\\Q" + unit.path() + "\\E" + MEMORY);
                assertThat(lines.get(1)).matches("├─" + line(outer));
                assertThat(lines.get(2)).matches("└─inner" + MEMORY);
                assertThat(lines.get(3)).matches("  └─" + line(deeper));
            }
            assertThat(Invocation.of("who", "--tree", "--json", UNIT).out())
                    .hasLineCount(1)
                    .startsWith("{\"cgroup\":\"" + unit.path() + "\",\"name\":\"" + unit.path())
                    .contains(
                            "\"processes\":[{\"process\":\"" + outer.pidFd().processId() + "\"",
                            "\"commandLine\":[\"sleep\",\"600\"],\"residentBytes\":",
                            "\"children\":[{\"cgroup\":\""
                                    + inner.path()
                                    + "\",\"name\":\"inner\"");
            end(outer);
            end(deeper);
        }
    }

    private static int sleeping(Cgroup cgroup) {
        AtomicInteger count = new AtomicInteger();
        cgroup.forEachMember(process -> {
            if (ProcessIdentity.readIfPermitted(() -> process.proc().commandLine())
                    .orElse(List.of())
                    .contains("600")) {
                count.incrementAndGet();
            }
        });
        return count.get();
    }

    @Test
    @Needs(cgroup2 = true, programs = "prlimit")
    void moreProcessesAreShownThanTheCommandMayHoldDescriptors() throws Exception {
        String many = "for i in $(seq 200); do sleep 600 & done; wait";
        try (ScratchCgroup scratch = ScratchCgroup.create();
                Cgroup unit = scratch.cgroup().create(UNIT);
                Child shell = Spawn.of("sh", "-c", many).cgroup(unit).start()) {
            Await.until(() -> sleeping(unit) == 200);
            try (CommandProcess tree =
                    CommandProcess.start(
                            List.of("prlimit", "--nofile=128"), "info", "--tree", UNIT)) {
                assertThat(tree.exitCode()).as(tree::toString).isZero();
                assertThat(tree.lines())
                        .filteredOn(line -> line.endsWith("  sleep 600"))
                        .hasSize(200);
            }
            unit.kill();
            assertThat(shell.await().isSuccess()).isFalse();
            assertThat(unit.awaitEmpty(Duration.ofSeconds(30))).isTrue();
        }
    }

    /** Nests cgroups, as a user can, up to the longest path. */
    @Test
    void cgroupsThatAreNestedTooDeeplyAreShownAsOne() throws Exception {
        try (ScratchCgroup scratch = ScratchCgroup.create()) {
            Cgroup deepest = scratch.cgroup().create(UNIT);
            for (int i = 0; i < 200; i++) {
                Cgroup next = deepest.create("d");
                deepest.close();
                deepest = next;
            }
            try (Cgroup last = deepest;
                    Child sleep = sleep(last)) {
                Invocation tree = Invocation.of("info", "--tree", UNIT);
                assertThat(tree.err()).isEmpty();
                assertThat(tree.out())
                        .hasLineCount(1 + 48 + 1)
                        .containsPattern("└─" + line(sleep) + "\n$");
                end(sleep);
            }
        }
    }

    @Test
    @Needs(features = {Feature.PEER_PIDFD, Feature.PIDFS})
    void namesAndSocketsAreShownBelowTheirProcess() throws Exception {
        String address = "unix:path=" + folder.resolve("bus");
        String own;
        try (Cgroup cgroup = Cgroup.own()) {
            own = cgroup.path().path();
        }
        try (Bus _ = Bus.open(BusAddress.parse(address), BusConfig.permissive());
                BusConnection client = BusConnection.connect(address)) {
            var _ = client.requestName("org.example.Tree");
            assertThat(
                            Invocation.of("info", "--tree", "--runtime-dir", folder.toString(), own)
                                    .out())
                    .containsPattern("listens on .*unix " + folder.resolve("bus"))
                    .containsPattern("[│ ]   owns org\\.example\\.Tree\n");
        }
    }

    @Test
    @Needs(programs = "perl")
    void whoAsksWhomIsShown() throws Exception {
        Path socket = folder.resolve("socket");
        UnixAddress address = UnixAddress.path(socket);
        String connect =
                "my $s = IO::Socket::UNIX->new(Peer => shift) or die; $| = 1; print 'x'; sleep";
        try (ScratchCgroup scratch = ScratchCgroup.create();
                Cgroup unit = scratch.cgroup().create(UNIT);
                UnixListener listener = UnixListener.listen(address, SocketType.STREAM, 1);
                Child client =
                        Spawn.of("perl", "-MIO::Socket::UNIX", "-e", connect, socket.toString())
                                .cgroup(unit)
                                .stdout(Stdio.pipe())
                                .start();
                UnixSocket _ = listener.accept();
                PidFd self = PidFd.self()) {
            assertThat(client.stdout().read()).isEqualTo('x');
            String server = socket + " of " + self.processId().inThisBoot() + " (java)";
            assertThat(Invocation.of("info", "--tree", UNIT).out())
                    .endsWith("    connected to " + server + "\n");
            assertThat(Invocation.of("info", "--tree", "--json", UNIT).out())
                    .contains("\"servers\":[\"" + server + "\"]");
            end(client);
        }
    }

    @Test
    void whatHasNoCgroupIsRefused() {
        for (String word : List.of("hf-nobody.service", "/hf-nobody")) {
            assertThat(Invocation.of("info", "--tree", word))
                    .isEqualTo(new Invocation(1, "", "holdfast: " + word + " has no cgroup\n"));
        }
    }

    @Test
    void theUnitOfARunningManagerIsShownForItsProcess() throws Exception {
        Files.setAttribute(folder, "unix:mode", 01777);
        Path units = Files.createDirectory(folder.resolve("units"));
        Files.writeString(
                units.resolve("hf-a.service"),
                "[Unit]\nDefaultDependencies=no\n[Service]\nExecStart=/bin/sh -c 'echo pid $$$$; exec sleep 1000'\n");
        Path runtime = folder.resolve("run");
        try (CommandProcess up =
                CommandProcess.start(
                        "up",
                        "--no-keeper",
                        "--runtime-dir",
                        runtime.toString(),
                        "--slice",
                        "hftree" + ProcessHandle.current().pid() + ".slice",
                        "--units",
                        units.toString(),
                        "hf-a")) {
            String line = up.await("hf-a.service | pid ");
            String pid = line.substring(line.lastIndexOf(' ') + 1);
            String shown = "manager     hf-a.service of the manager at " + runtime + "\n";
            Pattern inJson =
                    Pattern.compile(
                            "\"manager\":\\{\"unit\":\"hf-a.service\",\"invocationId\":\"[0-9a-f]{32}\",");
            String[] words = {"info", "--runtime-dir", runtime.toString(), pid};
            String[] json = {"info", "--json", "--runtime-dir", runtime.toString(), pid};
            // on a busy machine the manager may not answer in the time that the command waits
            Await.until(() -> Invocation.of(words).out().contains(shown));
            Await.until(() -> inJson.matcher(Invocation.of(json).out()).find());
            up.signal("TERM");
            assertThat(up.exitCode()).isZero();
        }
    }
}
