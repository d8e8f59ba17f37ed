package io.holdfast.core.event;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.Feature;
import io.holdfast.core.Signal;
import io.holdfast.core.process.Cgroup;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.socket.Peer;
import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.core.testkit.ChildJvm;
import io.holdfast.core.testkit.Needs;
import io.holdfast.core.testkit.ScratchCgroup;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RecorderTest {
    private interface Recorded {
        void run() throws Exception;
    }

    @TempDir private Path folder;

    private List<RecordedEvent> record(String name, Recorded action) throws Exception {
        Path file = folder.resolve(name + ".jfr");
        try (Recording recording = new Recording()) {
            recording.enable("io.holdfast." + name).withoutThreshold().withoutStackTrace();
            recording.start();
            action.run();
            recording.stop();
            recording.dump(file);
        }
        return events(file, name);
    }

    private static List<RecordedEvent> events(Path file, String name) throws IOException {
        return RecordingFile.readAllEvents(file).stream()
                .filter(event -> event.getEventType().getName().equals("io.holdfast." + name))
                .toList();
    }

    @Test
    void aStartIsRecordedWithTheIdentityOfTheChild() throws Exception {
        try (Child child = Spawn.of("true").start()) { // loads the classes before the recording
            assertThat(child.await().isSuccess()).isTrue();
        }
        Child[] started = new Child[1];
        List<RecordedEvent> events =
                record("Spawn", () -> started[0] = Spawn.of("sleep", "0").start());
        try (Child child = started[0]) {
            assertThat(events)
                    .singleElement()
                    .satisfies(event -> {
                        assertThat(event.getString("process")).isEqualTo(child.toString());
                        assertThat(event.getString("program")).isEqualTo("sleep");
                        assertThat(event.getString("failure")).isEmpty();
                        assertThat(event.getDuration()).isPositive();
                    });
        }
    }

    @Test
    void aStartThatFailsIsRecordedWithItsReason() throws Exception {
        List<RecordedEvent> events =
                record(
                        "Spawn",
                        () ->
                                assertThatExceptionOfType(ErrnoException.class)
                                        .isThrownBy(() -> Spawn.of("/no/such/program").start()));
        assertThat(events)
                .singleElement()
                .satisfies(event -> assertThat(event.getString("failure")).contains("ENOENT"));
    }

    @Test
    void anExitAndASignalAreRecorded() throws Exception {
        try (Child child = Spawn.of("sleep", "1000").start()) {
            List<RecordedEvent> signals =
                    record("Signal", () -> assertThat(child.signal(Signal.CONT)).isTrue());
            assertThat(signals)
                    .singleElement()
                    .satisfies(event -> {
                        assertThat(event.getString("process")).isEqualTo(child.toString());
                        assertThat(event.getString("signal")).isEqualTo("SIGCONT");
                        assertThat(event.getString("result")).isEqualTo("sent");
                    });

            List<RecordedEvent> exits =
                    record(
                            "Exit",
                            () -> {
                                boolean _ = child.signal(Signal.KILL);
                                var _ = child.await();
                            });
            assertThat(exits)
                    .singleElement()
                    .satisfies(event -> {
                        assertThat(event.getString("process")).isEqualTo(child.toString());
                        assertThat(event.getString("exit")).contains("KILL");
                    });
        }
    }

    @Test
    @Needs(features = Feature.PEER_PIDFD)
    void aPeerIsRecorded() throws Exception {
        UnixSocket[] pair = UnixSocket.pair(SocketType.STREAM);
        try (UnixSocket a = pair[0];
                UnixSocket _ = pair[1]) {
            Fd fd = a.fd();
            List<RecordedEvent> events =
                    record(
                            "Peer",
                            () -> {
                                try (Peer peer = Peer.of(fd).orElseThrow()) {
                                    assertThat(peer.pid()).isPositive();
                                }
                            });
            assertThat(events)
                    .singleElement()
                    .satisfies(event -> {
                        assertThat(event.getString("process"))
                                .startsWith("process " + ProcessHandle.current().pid());
                        assertThat(event.getString("how")).isEqualTo("Held");
                    });
        }
    }

    @Test
    @Needs(cgroup2 = true)
    void changesOfACgroupAreRecorded() throws Exception {
        try (ScratchCgroup scratch = ScratchCgroup.create()) {
            List<RecordedEvent> events =
                    record(
                            "Cgroup",
                            () -> {
                                try (Cgroup made = scratch.cgroup().create("made");
                                        Child child = Spawn.of("sleep", "1000").start()) {
                                    made.attach(child.pidFd());
                                    made.kill();
                                    var _ = child.await();
                                    made.remove();
                                }
                            });
            assertThat(events)
                    .extracting(event -> event.getString("change"))
                    .containsExactly("made", "entered", "killed", "removed");
            assertThat(events)
                    .extracting(event -> event.getString("path"))
                    .allMatch(path -> path.endsWith("/made"));
        }
    }

    /** Runs in another JVM with class loading logged: shows whether it loads event classes. */
    static final class Unrecorded {
        public static void main(String[] arguments) throws Exception {
            try (Child child = Spawn.of("true").start()) {
                System.out.println(child.await());
            }
        }
    }

    @Test
    void nothingIsLoadedWithoutARecording() {
        ChildJvm.Result result = ChildJvm.run(List.of("-Xlog:class+load"), Unrecorded.class);
        assertThat(result.status()).isZero();
        assertThat(result.output())
                .contains("io.holdfast.core.event.Recorder")
                .doesNotContain("SpawnEvent", "ExitEvent", "jdk.jfr.Event ");
    }
}
