package io.holdfast.core.process;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.Feature;
import io.holdfast.core.Signal;
import io.holdfast.core.socket.Peer;
import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.socket.UnixListener;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.core.testkit.ForeignParent;
import io.holdfast.core.testkit.Needs;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * The kernel's coredump tests: a coredump server identifies the crashing process by the socket.
 * Coredump sockets arrived with SO_PASSRIGHTS (Linux 6.16).
 */
@Timeout(120)
@Needs(
        root = true,
        disposableMachine = true,
        features = {Feature.EXIT_INFO, Feature.PASS_RIGHTS})
class KernelSelftestCoreDumpTest {
    private static final Path PATTERN = Path.of("/proc/sys/kernel/core_pattern");
    private static final Path SOCKET = Path.of("/run/holdfast-core-dumps");

    private String before;

    @BeforeEach
    void takeCoreDumps() throws Exception {
        before = Files.readString(PATTERN);
        Files.writeString(PATTERN, "@" + SOCKET);
    }

    @AfterEach
    void leaveCoreDumps() throws Exception {
        Files.writeString(PATTERN, before);
    }

    @Test
    void aCrashIsReportedByThePidfdOfThePeer() throws Exception {
        try (ForeignParent parent = ForeignParent.start();
                UnixListener server =
                        UnixListener.listen(UnixAddress.path(SOCKET), SocketType.STREAM, 8);
                PidFd crashing = parent.held("crashing", "die=SEGV")) {
            try (UnixSocket connection = server.accept();
                    Peer peer = connection.peer()) {
                assertThat(peer.pidFd()).hasValue(crashing);
                ProcessInfo info = peer.pidFd().orElseThrow().info();
                assertThat(info.pid()).as("not reaped yet").hasValue(crashing.pid());
                CoreDump dump = info.coreDump().orElseThrow();
                assertThat(dump.onlyForRoot()).isFalse();
                dump.signal().ifPresent(s -> assertThat(s).isEqualTo(Signal.SEGV));
                assertThat(connection.inputStream().transferTo(OutputStream.nullOutputStream()))
                        .isPositive();
            }
            assertThat(parent.reap(crashing.pid())).isEqualTo(new Exit.Killed(Signal.SEGV, true));
            assertThat(crashing.info().exit()).hasValue(new Exit.Killed(Signal.SEGV, true));
        }
    }

    @Test
    void aProcessThatNeverCrashedHasNoCoreDump() {
        try (ForeignParent parent = ForeignParent.start();
                PidFd child = parent.held("child")) {
            assertThat(child.info().coreDump()).isEmpty();
            assertThat(child.signal(Signal.KILL)).isTrue();
            parent.reap(child.pid());
            assertThat(child.info().coreDump()).isEmpty();
        }
    }
}
