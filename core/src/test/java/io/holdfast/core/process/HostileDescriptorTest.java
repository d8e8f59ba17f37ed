package io.holdfast.core.process;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.Fd;
import io.holdfast.core.Feature;
import io.holdfast.core.Signal;
import io.holdfast.core.sys.process.SpawnThread;
import io.holdfast.core.testkit.LingeringSocket;
import io.holdfast.core.testkit.Needs;
import io.holdfast.core.testkit.ScratchCgroup;
import io.holdfast.core.testkit.SilentFileSystem;
import io.holdfast.core.wait.FdCloser;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Starts go on while this process has descriptors of strangers, whose close may take for ever. */
@Timeout(120)
@Needs(root = true, features = Feature.OWN_TABLE, files = SilentFileSystem.DEVICE)
class HostileDescriptorTest {
    private static final int FILES = 4;

    private final List<Fd> hostile = new ArrayList<>();
    private SilentFileSystem fileSystem;

    @BeforeEach
    void openHostileFiles() {
        SpawnThread.prepare(); // as a process does before it receives its first descriptor
        fileSystem = SilentFileSystem.make();
        for (int i = 0; i < FILES; i++) {
            hostile.add(fileSystem.open());
        }
    }

    @AfterEach
    void endTheFileSystem() {
        fileSystem.close();
        hostile.forEach(Fd::close);
    }

    private static Exit exitOf(Spawn spawn) throws InterruptedException {
        try (Child child = spawn.start()) {
            return child.await();
        }
    }

    @Test
    void everyKindOfStartSucceedsBesideThem() throws Exception {
        Exit success = new Exit.Exited(0);
        assertThat(exitOf(Spawn.of("true"))).isEqualTo(success);
        assertThat(exitOf(Spawn.of("true").stdin(Stdio.pipe()))).isEqualTo(success);
        assertThat(exitOf(Spawn.of("true").whileHeld(_ -> {}))).isEqualTo(success);
        assertThat(exitOf(Spawn.of("true").umask(027).nice(5))).isEqualTo(success);
        assertThat(exitOf(Spawn.of("true").parentDeathSignal(Signal.KILL))).isEqualTo(success);
        assertThat(exitOf(Spawn.of("true").isolation(new Isolation().fresh(Namespace.Kind.UTS))))
                .isEqualTo(success);
        FutureTask<Exit> ofVirtualThread = new FutureTask<>(() -> exitOf(Spawn.of("true")));
        Thread _ = Thread.ofVirtual().start(ofVirtualThread);
        assertThat(ofVirtualThread.get()).isEqualTo(success);
    }

    @Test
    void startsSucceedWhileTheirClosesHang() throws Exception {
        List<Thread> closing =
                hostile.stream().map(fd -> Thread.ofPlatform().start(fd::close)).toList();
        for (int i = 0; i < 20; i++) {
            assertThat(exitOf(Spawn.of("true"))).isEqualTo(new Exit.Exited(0));
        }
        assertThat(closing).allMatch(Thread::isAlive);
        fileSystem.close();
        for (Thread thread : closing) {
            thread.join();
        }
    }

    @Test
    void aStartThatIsGivenOneDelaysNoOther() throws Exception {
        Callable<Exit> given = () -> exitOf(Spawn.of("true").descriptor(3, hostile.getFirst()));
        FutureTask<Exit> hanging = new FutureTask<>(given);
        Thread _ = Thread.ofPlatform().start(hanging);
        for (int i = 0; i < 20; i++) {
            assertThat(exitOf(Spawn.of("true"))).isEqualTo(new Exit.Exited(0));
        }
        fileSystem.close();
        assertThat(hanging.get()).isEqualTo(new Exit.Exited(0));
    }

    @Test
    @Needs(cgroup2 = true)
    void aStartIntoACgroupThatIsGivenOneReturns() throws Exception {
        hostile.getFirst().closeWith(FdCloser.automatic(new Object())); // as if received
        try (ScratchCgroup scratch = ScratchCgroup.create()) {
            Spawn spawn = Spawn.of("true").cgroup(scratch.cgroup());
            FutureTask<Child> start =
                    new FutureTask<>(() -> spawn.descriptor(3, hostile.getFirst()).start());
            Thread _ = Thread.ofPlatform().daemon().start(start);
            try (Child child = start.get(30, TimeUnit.SECONDS)) {
                fileSystem.close();
                assertThat(child.await()).isEqualTo(new Exit.Exited(0));
            }
        }
    }

    @Test
    void lingeringSocketsDelayNoStart() throws Exception {
        try (LingeringSocket socket = LingeringSocket.make()) {
            for (int i = 0; i < 20; i++) {
                assertThat(exitOf(Spawn.of("true"))).isEqualTo(new Exit.Exited(0));
            }
            assertThat(socket.fd().isOpen()).isTrue(); // until here
        }
    }
}
