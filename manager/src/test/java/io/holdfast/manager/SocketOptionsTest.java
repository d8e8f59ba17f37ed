package io.holdfast.manager;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.holdfast.core.terminal.PseudoTerminal;
import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.Needs;
import io.holdfast.manager.job.JobResult;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The options of sockets, and what a socket unit waits on beside sockets with addresses. */
@Timeout(120)
@Needs(programs = "python3")
class SocketOptionsTest {
    @TempDir private Path folder;
    private Stage stage;

    @BeforeEach
    void open() throws Exception {
        stage = Stage.in(folder);
    }

    @AfterEach
    void close() throws Exception {
        stage.close();
    }

    private void socket(String name, String... lines) throws Exception {
        stage.unit(
                name + ".socket",
                "[Unit]\nDefaultDependencies=no\n[Socket]\n" + String.join("\n", lines) + "\n");
    }

    private void runs(String name) throws Exception {
        Await.until(() -> {
            try {
                return stage.state(name + ".service").startsWith("active/running");
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        });
    }

    @Test
    void optionsAreSetOnTheSocketThatTheServiceGets() throws Exception {
        String free =
                "import socket; s = socket.create_server(('127.0.0.1', 0)); print(s.getsockname()[1])";
        String port = Tool.run(Map.of(), "python3", "-c", free).output().strip();
        String script =
                stage.python(
                        "options",
                        """
                        import socket
                        s = socket.socket(fileno=3)
                        def get(level, option): return s.getsockopt(level, option)
                        print("options", get(1, 9), get(6, 4), get(6, 5), get(6, 6), get(6, 1),
                              get(1, 12), get(1, 15), get(0, 2), get(0, 15), get(1, 8) >= 8192)
                        """);
        stage.service("a", "Type=oneshot", "ExecStart=" + script);
        socket(
                "a",
                "ListenStream=127.0.0.1:" + port,
                "KeepAlive=yes",
                "KeepAliveTimeSec=2min",
                "KeepAliveIntervalSec=1500ms",
                "KeepAliveProbes=4",
                "NoDelay=yes",
                "Priority=3",
                "ReusePort=yes",
                "IPTTL=33",
                "FreeBind=yes",
                "ReceiveBuffer=8K");
        assertThat(stage.start("a.socket")).isEqualTo(JobResult.DONE);
        assertThat(stage.start("a.service")).isEqualTo(JobResult.DONE);
        String _ = stage.happenings().awaitOutput("a.service", "options 1 120 2 4 1 3 1 33 1 True");
    }

    @Test
    void aSocketHasTheProtocolOfItsUnit() throws Exception {
        String free =
                "import socket; s = socket.socket(2, 2, 136); s.bind(('127.0.0.1', 0)); print(s.getsockname()[1])";
        Tool found = Tool.run(Map.of(), "python3", "-c", free);
        assumeTrue(found.status() == 0, "the kernel has no UDP-Lite");
        String script =
                stage.python(
                        "protocol", "print('protocol', socket.socket(fileno=3).getsockopt(1, 38))");
        stage.service("a", "Type=oneshot", "ExecStart=" + script);
        socket("a", "ListenDatagram=127.0.0.1:" + found.output().strip(), "SocketProtocol=udplite");
        assertThat(stage.start("a.socket")).isEqualTo(JobResult.DONE);
        assertThat(stage.start("a.service")).isEqualTo(JobResult.DONE);
        String _ = stage.happenings().awaitOutput("a.service", "protocol 136");
    }

    @Test
    void aSocketWithoutItsNetworkInterfaceIsNotOpened() throws Exception {
        stage.service("a", "ExecStart=/bin/true");
        socket("a", "ListenDatagram=127.0.0.1:1", "BindToDevice=nosuchdevice0");
        assertThat(stage.start("a.socket")).isEqualTo(JobResult.FAILED);
        String _ = stage.happenings().await("BindToDevice=nosuchdevice0");
    }

    @Test
    void aDeviceStartsTheServiceWhenItCanBeRead() throws Exception {
        try (PseudoTerminal terminal = PseudoTerminal.open();
                var _ = terminal.openOther()) {
            stage.service("a", "ExecStart=/bin/sleep 1000");
            socket("a", "ListenSpecial=" + terminal, "Writable=yes");
            assertThat(stage.start("a.socket")).isEqualTo(JobResult.DONE);
            terminal.output().write("x\n".getBytes(StandardCharsets.UTF_8));
            terminal.output().flush();
            runs("a");
            stage.stop("a.socket");
            assertThat(Files.exists(Path.of(terminal.toString()))).isTrue();
        }
    }

    @Test
    void aMessageQueueStartsTheServiceAndIsRemoved() throws Exception {
        String queue = "/hftest" + ProcessHandle.current().pid();
        stage.service("a", "ExecStart=/bin/sleep 1000");
        socket(
                "a",
                "ListenMessageQueue=" + queue,
                "MessageQueueMaxMessages=2",
                "MessageQueueMessageSize=100",
                "SocketMode=0600",
                "RemoveOnStop=yes");
        assertThat(stage.start("a.socket")).isEqualTo(JobResult.DONE);
        String send =
                """
                import ctypes, os
                c = ctypes.CDLL(None, use_errno=True)
                q = c.mq_open(b"%s", os.O_WRONLY)
                print(q >= 0 and c.mq_send(q, b"x" * 100, 100, 0))
                """
                        .formatted(queue);
        assertThat(Tool.run(Map.of(), "python3", "-c", send).output().strip()).isEqualTo("0");
        runs("a");
        stage.stop("a.service");
        stage.stop("a.socket");
        assertThat(Tool.run(Map.of(), "python3", "-c", send).output().strip()).isEqualTo("False");
    }

    @Test
    void aNetlinkSocketIsOpened() throws Exception {
        stage.service("a", "Type=oneshot", "ExecStart=/bin/readlink /proc/self/fd/3");
        socket("a", "ListenNetlink=kobject-uevent 1", "ReceiveBuffer=1M", "PassCredentials=yes");
        assertThat(stage.start("a.socket")).isEqualTo(JobResult.DONE);
        assertThat(stage.start("a.service")).isEqualTo(JobResult.DONE);
        String _ = stage.happenings().await("a.service | socket:[");
        socket("b", "ListenNetlink=nosuch 1", "Service=a.service");
        assertThat(stage.start("b.socket")).isEqualTo(JobResult.INVALID);
    }
}
