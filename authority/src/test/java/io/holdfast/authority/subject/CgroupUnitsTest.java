package io.holdfast.authority.subject;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.authority.subject.UnitLookup.ProcessUnit;
import io.holdfast.core.process.Cgroup;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.process.Stdio;
import io.holdfast.core.testkit.ForeignParent;
import io.holdfast.core.testkit.Needs;
import io.holdfast.core.testkit.OpenDescriptors;
import io.holdfast.core.testkit.ScratchCgroup;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Tests the lookup with a scratch cgroup as the manager's root. */
@Timeout(120)
@Needs(root = true, cgroup2 = true)
class CgroupUnitsTest {
    private static final int USER = 20001;

    private OpenDescriptors before;
    private ScratchCgroup scratch;
    private ForeignParent parent;
    private PidFd process;
    private CgroupUnits units;

    @BeforeEach
    void open() {
        before = OpenDescriptors.now();
        scratch = ScratchCgroup.create();
        parent = ForeignParent.start();
        process = parent.held("subject", "uid=" + USER);
        units = new CgroupUnits(scratch.cgroup().path());
    }

    @AfterEach
    void close() {
        parent.close();
        process.close();
        scratch.close();
        before.awaitSameNumber();
    }

    private void place(String path) {
        scratch.place(path, process);
    }

    @Test
    void theUnitIsTheOneThatRootNamed() throws Exception {
        place("system.slice/system-x.slice/x@1.service/sub/other.service");
        assertThat(units.find(process)).contains(new ProcessUnit("x@1.service", false));
        scratch.placeAsUser(USER, "ssh.service", process);
        assertThat(units.find(process)).isEmpty();
    }

    @Test
    void theOwnerOfASliceIsInNobodysSession(@TempDir Path logins) throws Exception {
        Files.createDirectories(logins.resolve("sessions"));
        Files.createDirectories(logins.resolve("users"));
        Files.writeString(logins.resolve("sessions/7"), "UID=0\nSEAT=seat0\nSTATE=active\n");
        Files.writeString(logins.resolve("users/0"), "STATE=active\nDISPLAY=7\n");
        Sessions sessions = new Sessions(logins, units.root());
        place("user.slice/user-0.slice/session-7.scope");
        assertThat(sessions.own(process)).isPresent();
        assertThat(sessions.of(process)).isPresent();
        scratch.placeAsUser(USER, "session-7.scope", process);
        assertThat(sessions.own(process)).isEmpty();
        scratch.placeAsUser(USER, "user-0.slice", process);
        assertThat(sessions.of(process)).isEmpty();
    }

    @Test
    @Needs(programs = "setpriv")
    void aProcessThatGivesUpPrivilegesSpeaksNotForItsUnit() throws Exception {
        place("system.slice/x.service");
        Spawn restricted =
                Spawn.of("setpriv", "--no-new-privs", "--reuid=" + USER, "--clear-groups", "cat")
                        .stdin(Stdio.pipe())
                        .stdout(Stdio.pipe());
        try (Child child = restricted.start();
                Cgroup unit = Cgroup.open(scratch.cgroup().path() + "/system.slice/x.service")) {
            child.stdin().write('\n');
            child.stdin().flush();
            assertThat(child.stdout().read()).as("it runs by now").isEqualTo('\n');
            unit.attach(child.pidFd());
            assertThat(units.find(child.pidFd())).contains(new ProcessUnit("x.service", false));
        }
    }
}
