package io.holdfast.manager.systemd1.caller;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.holdfast.core.process.CgroupPath;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.socket.Peer;
import io.holdfast.core.sys.Unistd;
import io.holdfast.core.testkit.Needs;
import io.holdfast.dbus.DBusException;
import io.holdfast.manager.process.Workload;
import io.holdfast.manager.unit.UnitName;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Which processes a caller may move into a new scope. */
class AdoptedProcessesTest {
    private static final long NOBODY = 65534;
    private static final Workload SERVICE =
            new Workload(
                    UnitName.of("a.service"), "", UnitName.of("system.slice"), CgroupPath.ROOT);

    private final List<Process> started = new ArrayList<>();

    @AfterEach
    void end() throws Exception {
        for (Process process : started) {
            int _ = process.destroyForcibly().waitFor();
        }
    }

    private PidFd started(String... command) throws Exception {
        Process process = new ProcessBuilder(command).start();
        started.add(process);
        if (command.length > 2) { // it changes its user, and reports that
            assertThat(process.inputReader().readLine()).isEqualTo("ready");
        }
        return PidFd.of(process);
    }

    private PidFd sleeper() throws Exception {
        return started("/bin/sleep", "1000");
    }

    private PidFd ofNobody(String users) throws Exception {
        return started(
                "setpriv",
                users,
                "--clear-groups",
                "sh",
                "-p",
                "-c",
                "echo ready; exec sleep 1000");
    }

    private static void check(PidFd process, long uid, Optional<Workload> unit) throws Exception {
        try (PidFd caller = PidFd.self();
                AdoptedProcesses processes = new AdoptedProcesses(List.of(process), false)) {
            processes.check(
                    new Peer.Held(caller, caller.pid(), uid, 0, List.of(), Optional.empty()),
                    _ -> CompletableFuture.completedStage(unit));
        }
    }

    @Test
    @Needs(root = true, programs = "setpriv")
    void rootMayHaveEachProcessAndOthersTheirOwnAlone() throws Exception {
        check(ofNobody("--reuid=65534"), 0, Optional.of(SERVICE));
        check(ofNobody("--reuid=65534"), NOBODY, Optional.empty());
        PidFd roots = sleeper();
        assertThatThrownBy(() -> check(roots, NOBODY, Optional.empty()))
                .isInstanceOfSatisfying(
                        DBusException.class,
                        e -> assertThat(e.name()).isEqualTo(DBusException.ACCESS_DENIED))
                .hasMessageContaining("not owned by client's UID");
    }

    @Test
    @Needs(root = true, programs = "setpriv")
    void aProcessThatIsMoreThanItsUserIsNotHis() throws Exception {
        for (String users : List.of("--ruid=65534", "--euid=65534")) {
            PidFd process = ofNobody(users);
            assertThatThrownBy(() -> check(process, NOBODY, Optional.empty()))
                    .hasMessageContaining("not owned by client's UID");
        }
    }

    @Test
    @Needs(root = true, programs = "setpriv")
    void theManagersOwnerAloneTakesAProcessOutOfAUnit() throws Exception {
        PidFd process = ofNobody("--reuid=65534");
        assertThatThrownBy(() -> check(process, NOBODY, Optional.of(SERVICE)))
                .hasMessageContaining("belongs to a.service, refusing.");
        check(sleeper(), Unistd.geteuid(), Optional.of(SERVICE));
    }

    @Test
    void theManagerItselfAndWhatIsGoneAreRefused() throws Exception {
        PidFd self = PidFd.self();
        assertThatThrownBy(() -> check(self, Unistd.geteuid(), Optional.empty()))
                .hasMessageContaining("is a manager process, refusing.");
        PidFd gone = sleeper();
        var _ = started.getFirst().destroyForcibly().waitFor();
        var _ = gone.await();
        assertThatThrownBy(() -> check(gone, NOBODY, Optional.empty()))
                .hasMessageContaining("No such process");
    }

    @Test
    void theCallerIsOneOfThemIfHeSaysSo() throws Exception {
        try (PidFd caller = sleeper();
                AdoptedProcesses processes = new AdoptedProcesses(List.of(), true)) {
            assertThat(processes.isEmpty()).isFalse();
            processes.check(
                    new Peer.Held(
                            caller, caller.pid(), Unistd.geteuid(), 0, List.of(), Optional.empty()),
                    _ -> CompletableFuture.completedStage(Optional.empty()));
            List<PidFd> taken = processes.take();
            assertThat(taken).containsExactly(caller);
            assertThatCode(processes::close).doesNotThrowAnyException();
            taken.forEach(PidFd::close);
        }
    }
}
