package io.holdfast.authority.subject;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.holdfast.authority.subject.UnitLookup.ProcessUnit;
import io.holdfast.core.linux.Errno;
import io.holdfast.core.linux.ErrnoException;
import io.holdfast.core.linux.Signal;
import io.holdfast.core.process.Cgroup;
import io.holdfast.core.process.CgroupPath;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.process.Stdio;
import io.holdfast.core.testkit.AsUser;
import io.holdfast.core.testkit.ForeignParent;
import io.holdfast.core.testkit.Needs;
import io.holdfast.core.testkit.OpenDescriptors;
import io.holdfast.core.testkit.ScratchCgroup;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** With a scratch cgroup as the manager's root. */
@Timeout(120)
@Needs(root = true, cgroup2 = true)
class CgroupUnitsTest {
    private static final int USER = 20001;

    private OpenDescriptors before;
    private ScratchCgroup scratch;
    private ForeignParent parent;
    private int number;
    private PidFd process;
    private CgroupUnits units;

    @BeforeEach
    void open() {
        before = OpenDescriptors.now();
        scratch = ScratchCgroup.create();
        parent = ForeignParent.start();
        number = parent.child("subject", "uid=" + USER);
        process = PidFd.open(number);
        units = new CgroupUnits(scratch.cgroup().path());
    }

    @AfterEach
    void close() {
        parent.close();
        process.close();
        scratch.close();
        before.awaitSameNumber();
    }

    /** Makes cgroups, and moves the process into the last. */
    private void place(String path) {
        CgroupPath here = scratch.cgroup().path();
        for (String name : path.split("/", -1)) {
            try (Cgroup holder = Cgroup.open(here.path());
                    Cgroup made = holder.create(name)) {
                here = made.path();
            }
        }
        try (Cgroup last = Cgroup.open(here.path())) {
            last.attach(process);
        }
    }

    private Path folder(String path) {
        return Path.of(scratch.folder(), path);
    }

    /** As cgroups(7), "Cgroups delegation". */
    private void delegate(String path) throws IOException {
        for (String file : new String[] {"", "cgroup.procs", "cgroup.threads"}) {
            Files.setAttribute(folder(path).resolve(file), "unix:uid", USER);
        }
    }

    private void placeAsUser(String path) throws Exception {
        AsUser.of(USER, () -> place(path));
    }

    private Optional<String> unit() {
        return units.find(process).map(ProcessUnit::name);
    }

    @Test
    void rootsDirectoriesNameTheUnit() {
        place("system.slice/system-x.slice/x@1.service/sub/other.service");
        assertThat(units.find(process)).contains(new ProcessUnit("x@1.service", false));
        place("_cpu.service");
        assertThat(unit()).contains("cpu.service");
        place("x.slice");
        assertThat(unit()).isEmpty();
        place("docker/abc/system.slice/ssh.service");
        assertThat(unit()).isEmpty();
    }

    @Test
    void theOwnerOfASliceNamesNoUnits() throws Exception {
        place("x.slice/first");
        delegate("x.slice");
        delegate("x.slice/first");
        placeAsUser("x.slice/ssh.service");
        assertThat(process.cgroupPath().path()).endsWith("/x.slice/ssh.service");
        assertThat(process.cgroupPath().relativeTo(units.root()).unit())
                .as("what the path alone would say")
                .contains("ssh.service");
        assertThat(unit()).isEmpty();
        placeAsUser("x.slice/x-y.slice/ssh.service");
        assertThat(unit()).isEmpty();
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
        place("x.slice/first");
        delegate("x.slice");
        delegate("x.slice/first");
        placeAsUser("x.slice/session-7.scope");
        assertThat(sessions.own(process)).isEmpty();
        placeAsUser("x.slice/user-0.slice");
        assertThat(sessions.of(process)).isEmpty();
    }

    @Test
    void whoMayWriteToASliceNamesNoUnits() throws Exception {
        place("x.slice/ssh.service");
        assertThat(unit()).contains("ssh.service");
        for (String mode : new String[] {"rwxrwxr-x", "rwxr-xrwx"}) {
            Files.setPosixFilePermissions(folder("x.slice"), PosixFilePermissions.fromString(mode));
            assertThat(unit()).isEmpty();
        }
    }

    @Test
    void whoMayWriteToTheManagersRootNamesNoUnits() throws Exception {
        place("ssh.service");
        Files.setAttribute(folder(""), "unix:uid", USER);
        assertThat(unit()).isEmpty();
    }

    @Test
    void anUnprivilegedUserCannotEnterAUnitThatIsDelegatedToHim() throws Exception {
        place("system.slice/delegated.service");
        delegate("system.slice/delegated.service");
        place("x.slice/first");
        delegate("x.slice");
        delegate("x.slice/first");
        assertThatExceptionOfType(ErrnoException.class)
                .isThrownBy(() -> placeAsUser("system.slice/delegated.service/sub"))
                .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.EACCES));
        assertThat(unit()).isEmpty();
    }

    @Test
    void whatIsBelowADelegatedUnitIsOfThatUnit() throws Exception {
        place("system.slice/delegated.service/first");
        delegate("system.slice/delegated.service");
        delegate("system.slice/delegated.service/first");
        placeAsUser("system.slice/delegated.service/ssh.service");
        assertThat(unit()).contains("delegated.service");
        place("user.slice/user-20001.slice/user@20001.service/init.scope");
        delegate("user.slice/user-20001.slice/user@20001.service");
        delegate("user.slice/user-20001.slice/user@20001.service/init.scope");
        placeAsUser("user.slice/user-20001.slice/user@20001.service/app.slice/ssh.service");
        assertThat(unit()).contains("user@20001.service");
    }

    @Test
    void whoIsOutsideOfTheManagersRootHasNoUnit() {
        place("outside.slice/ssh.service");
        place("manager/system.slice/cron.service");
        units = new CgroupUnits(new CgroupPath(scratch.cgroup().path() + "/manager"));
        assertThat(unit()).contains("cron.service");
        place("manager.slice/ssh.service");
        assertThat(unit()).isEmpty();
        units = new CgroupUnits(new CgroupPath(scratch.cgroup().path() + "/removed"));
        assertThat(unit()).isEmpty();
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

    @Test
    void aZombieOfARemovedCgroupHasNoUnitAndAReapedProcessIsGone() throws Exception {
        place("system.slice/x.service");
        assertThat(parent.kill(number, Signal.KILL)).isTrue();
        var _ = process.await();
        assertThat(unit()).as("a zombie").contains("x.service");
        try (Cgroup slice = scratch.cgroup().child("system.slice");
                Cgroup service = slice.child("x.service")) {
            service.remove();
        }
        assertThat(unit()).as("whose cgroup was removed").isEmpty();
        Files.createDirectory(folder("system.slice/x.service"));
        assertThat(unit()).as("and made anew").isEmpty();
        var _ = parent.reap(number);
        assertThatExceptionOfType(ErrnoException.class)
                .isThrownBy(this::unit)
                .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.ESRCH));
    }
}
