package io.holdfast.core.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Signal;
import io.holdfast.core.testkit.AsUser;
import io.holdfast.core.testkit.ForeignParent;
import io.holdfast.core.testkit.Needs;
import io.holdfast.core.testkit.OpenDescriptors;
import io.holdfast.core.testkit.ScratchCgroup;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Tests with a scratch cgroup as the manager's root. */
@Timeout(120)
@Needs(root = true, cgroup2 = true)
class CgroupPlaceTest {
    private static final int USER = 20001;
    private static final int DEPTH = 1_000;

    private OpenDescriptors before;
    private ScratchCgroup scratch;
    private CgroupPath root;
    private ForeignParent parent;
    private int number;
    private PidFd process;

    @BeforeEach
    void open() {
        before = OpenDescriptors.now();
        scratch = ScratchCgroup.create();
        root = scratch.cgroup().path();
        parent = ForeignParent.start();
        number = parent.child("subject", "uid=" + USER);
        process = PidFd.open(number);
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

    private Path folder(String path) {
        return Path.of(scratch.folder(), path);
    }

    private Optional<String> unit() {
        return CgroupPlace.of(process, root).flatMap(CgroupPath::unit);
    }

    private boolean isIn(String path) {
        return CgroupPlace.isIn(process, new CgroupPath(root.path() + path));
    }

    @Test
    void rootsDirectoriesNameTheUnit() {
        place("system.slice/system-x.slice/x@1.service/sub/other.service");
        assertThat(unit()).contains("x@1.service");
        place("_cpu.service");
        assertThat(unit()).contains("cpu.service");
        place("x.slice");
        assertThat(unit()).isEmpty();
        assertThat(CgroupPlace.of(process, root).map(CgroupPath::slice)).contains("x.slice");
        place("docker/abc/system.slice/ssh.service");
        assertThat(unit()).isEmpty();
    }

    @Test
    void theOwnerOfASliceNamesNoUnits() throws Exception {
        scratch.placeAsUser(USER, "ssh.service", process);
        assertThat(process.cgroupPath().path()).endsWith("/x.slice/ssh.service");
        assertThat(process.cgroupPath().relativeTo(root).unit())
                .as("what the path alone would say")
                .contains("ssh.service");
        assertThat(unit()).isEmpty();
        scratch.placeAsUser(USER, "x-y.slice/ssh.service", process);
        assertThat(unit()).isEmpty();
    }

    /** A user who owns a cgroup can make it as deep as he likes, and connect from there. */
    @Test
    void aProcessInADeepCgroupIsInTheServiceAboveIt() {
        place("a.slice/b.service" + "/c".repeat(DEPTH));
        assertThat(isIn("/a.slice/b.service")).isTrue();
    }

    @Test
    void aPlaceIsBelievedOnlyIfRootNamedIt() throws Exception {
        place("a.slice/b/c.service/below");
        assertThat(isIn("/a.slice/b/c.service")).isTrue();
        assertThat(isIn("/a.slice/b/c.service/below")).isTrue();
        assertThat(isIn("/a.slice/b")).isTrue();
        assertThat(isIn("/a.slice/b/c")).isFalse();
        assertThat(isIn("/a.slice/b/c.service/below/it")).isFalse();
        assertThat(CgroupPlace.isIn(process, CgroupPath.ROOT)).isTrue();

        scratch.delegate(USER, "a.slice/b/c.service");
        assertThat(isIn("/a.slice/b/c.service")).as("whose owner does not name it").isTrue();
        assertThat(isIn("/a.slice/b/c.service/below")).isFalse();
        scratch.delegate(USER, "a.slice/b");
        assertThat(isIn("/a.slice/b/c.service")).isFalse();
        assertThat(isIn("/a.slice/b")).isTrue();
    }

    @Test
    void whoMayWriteToASliceNamesNoUnits() throws Exception {
        place("x.slice/ssh.service");
        assertThat(unit()).contains("ssh.service");
        for (String mode : new String[] {"rwxrwxr-x", "rwxr-xrwx"}) {
            Files.setPosixFilePermissions(folder("x.slice"), PosixFilePermissions.fromString(mode));
            assertThat(unit()).isEmpty();
            assertThat(isIn("/x.slice/ssh.service")).isFalse();
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
        place("x.slice/first");
        scratch.delegate(USER, "system.slice/delegated.service", "x.slice", "x.slice/first");
        assertThatExceptionOfType(ErrnoException.class)
                .isThrownBy(
                        () -> AsUser.of(USER, () -> place("system.slice/delegated.service/sub")))
                .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.EACCES));
        assertThat(unit()).isEmpty();
    }

    @Test
    void whatIsBelowADelegatedUnitIsOfThatUnit() throws Exception {
        String delegated = "system.slice/delegated.service";
        place(delegated + "/first");
        scratch.delegate(USER, delegated, delegated + "/first");
        AsUser.of(USER, () -> place(delegated + "/ssh.service"));
        assertThat(unit()).contains("delegated.service");
        String own = "user.slice/user-20001.slice/user@20001.service";
        place(own + "/init.scope");
        scratch.delegate(USER, own, own + "/init.scope");
        AsUser.of(USER, () -> place(own + "/app.slice/ssh.service"));
        assertThat(unit()).contains("user@20001.service");
    }

    @Test
    void whoIsOutsideOfTheManagersRootHasNoUnit() {
        place("outside.slice/ssh.service");
        place("manager/system.slice/cron.service");
        root = new CgroupPath(root.path() + "/manager");
        assertThat(unit()).contains("cron.service");
        place("manager.slice/ssh.service");
        assertThat(unit()).isEmpty();
        root = new CgroupPath(scratch.cgroup().path() + "/removed");
        assertThat(unit()).isEmpty();
    }

    @Test
    void theUnitOfAProcessIsTheOneBelowTheMachinesManager() throws Exception {
        try (ScratchCgroup slice = ScratchCgroup.createSlice()) {
            slice.place("ssh.service", process);
            assertThat(process.unit()).contains("ssh.service");
            slice.placeAsUser(USER, "ssh.service", process);
            assertThat(process.unit()).isEmpty();
            place("system.slice/ssh.service");
            assertThat(process.unit()).as("the scratch cgroup is no slice").isEmpty();
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
