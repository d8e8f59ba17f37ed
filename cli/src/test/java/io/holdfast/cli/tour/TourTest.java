package io.holdfast.cli.tour;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.cli.CommandProcess;
import io.holdfast.cli.Program;
import io.holdfast.core.process.Cgroup;
import io.holdfast.core.testkit.Needs;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
class TourTest {
    @Test
    @Needs(root = true, cgroup2 = true)
    void itShowsTheAttackTheRefusalAServiceAndWhatItMayAndLeavesNothing() throws Exception {
        Program tour = Program.run("tour");

        assertThat(tour.err()).isEmpty();
        assertThat(tour.out())
                .containsSubsequence(
                        "1. A PID is not a process",
                        "2. A program that uses the PID is deceived",
                        "ProcessHandle says the worker is alive: yes",
                        "the other process was killed by SIGKILL",
                        "3. A program that holds a pidfd is not",
                        "how it ended: killed by SIGKILL",
                        "KILL to it: not sent, the process is gone",
                        "is the dead worker authorized for an action that all may perform?",
                        "refused",
                        "4. Identity",
                        "tour.service",
                        "5. Authorization",
                        "granted",
                        "rule              yes ",
                        "10-tour.rules:1",
                        "answer            authorized",
                        "check of this tour",
                        "refused",
                        "10-tour.rules:1",
                        "not authorized",
                        "stopped; nothing is left behind")
                .doesNotContain("\u001b");
        assertThat(tour.code()).isZero();
        try (Cgroup own = Cgroup.own()) {
            List<String> names = own.childNames();
            assertThat(names).noneMatch(name -> name.startsWith("holdfasttour"));
        }
    }

    @Test
    @Needs(root = true, programs = "setpriv") // to become a plain user
    void aPlainUserSeesItTooAndIsToldWhatCannotBeShown(@TempDir Path folder) throws Exception {
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxrwxrwx"));
        try (CommandProcess tour = CommandProcess.startAsNobody(folder, List.of(), "tour")) {
            tour.await("nothing is left behind");
            assertThat(tour.exitCode()).isZero();
            String said = String.join("\n", tour.lines());
            assertThat(said)
                    .containsSubsequence(
                            "1. A PID is not a process",
                            "4. Identity",
                            "a cgroup of the service",
                            "5. Authorization",
                            "not granted: without its own cgroup")
                    .doesNotContainPattern("cgroup → unit +tour\\.service");
            if (!said.contains("user namespace")) { // not every kernel lets a plain user create one
                assertThat(said).contains("the other process was killed by SIGKILL");
            }
        }
    }

    @Test
    @Needs(root = true, cgroup2 = true)
    void anInterruptLeavesNothing(@TempDir Path folder) throws Exception {
        List<String> temporary = List.of("env", "JAVA_TOOL_OPTIONS=-Djava.io.tmpdir=" + folder);
        for (String line : new String[] {"1. A PID", "4. Identity", "5. Authoriz"}) {
            try (CommandProcess tour = CommandProcess.start(temporary, "tour")) {
                tour.await(line);
                tour.signal("INT");
                assertThat(tour.exitCode()).as(line).isIn(0, 130); // it may have finished
            }
            try (var left = Files.list(folder)) {
                assertThat(left.map(Path::getFileName).map(Path::toString))
                        .as(line)
                        .noneMatch(name -> name.startsWith("holdfast-tour"));
            }
            try (Cgroup own = Cgroup.own()) {
                assertThat(own.childNames()).noneMatch(name -> name.startsWith("holdfasttour"));
            }
        }
    }
}
