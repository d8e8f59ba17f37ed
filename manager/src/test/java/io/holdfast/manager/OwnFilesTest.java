package io.holdfast.manager;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.process.Cgroup;
import io.holdfast.core.sys.SysStat;
import io.holdfast.core.testkit.LockHog;
import io.holdfast.core.testkit.Needs;
import io.holdfast.manager.exec.Inaccessible;
import io.holdfast.manager.exec.SetupException;
import io.holdfast.manager.systemd1.Systemd1;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.varlink.ManagerInterface;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Other users can do nothing with the files, locks and cgroups of a manager. */
@Timeout(120)
class OwnFilesTest {
    private static final int NOBODY = 65534;

    @TempDir private Path folder;

    @BeforeEach
    void letOthersIn() throws IOException {
        Files.setAttribute(folder, "unix:mode", 0755);
    }

    private static Path mode(Path path, int mode) throws IOException {
        return Files.setAttribute(path, "unix:mode", mode);
    }

    private static void assertRefused(Path runtime, int errno, String reason) throws IOException {
        assertThatExceptionOfType(ErrnoException.class)
                .isThrownBy(() ->
                        Manager.open(options(runtime, Stage.freshSlice()), new Happenings())
                                .close())
                .matches(e -> e.errno() == errno, Errno.name(errno))
                .withMessageContaining(runtime.toString())
                .withMessageContaining(reason);
    }

    private static ManagerOptions options(Path runtime, UnitName slice) {
        return ManagerOptions.system(Map.of()).withRuntimeDirectory(runtime).withSlice(slice);
    }

    @ParameterizedTest
    @ValueSource(ints = {0777, 0775})
    void aRuntimeFolderThatOthersMayWriteIsRefused(int mode) throws Exception {
        Path runtime = mode(Files.createDirectory(folder.resolve("run")), mode);
        assertRefused(runtime, Errno.EPERM, "other users may write to it");
        assertThat(runtime).isEmptyDirectory();
    }

    @Test
    @Needs(root = true)
    void aRuntimeFolderOfAnotherUserOrBehindALinkIsRefused() throws Exception {
        Path runtime = mode(Files.createDirectory(folder.resolve("run")), 0755);
        assertRefused(
                Files.createSymbolicLink(folder.resolve("link"), runtime), Errno.ELOOP, "link");
        Files.setAttribute(runtime, "unix:uid", NOBODY);
        assertRefused(runtime, Errno.EPERM, "belongs to user 65534");
        assertThat(runtime).isEmptyDirectory();
    }

    @ParameterizedTest
    @ValueSource(strings = {"systemd", "inaccessible"})
    void aFolderInTheRuntimeFolderThatOthersMayWriteIsRefused(String name) throws Exception {
        Path runtime = mode(Files.createDirectory(folder.resolve("run")), 0755);
        Path inner = mode(Files.createDirectory(runtime.resolve(name)), 0777);
        try (Manager manager =
                Manager.open(options(runtime, Stage.freshSlice()), new Happenings())) {
            if (name.equals("systemd")) {
                assertThatExceptionOfType(ErrnoException.class)
                        .isThrownBy(() -> Systemd1.serve(manager, runtime))
                        .withMessageContaining(inner + ": EPERM");
            } else {
                Inaccessible covers = Inaccessible.in(runtime);
                assertThatExceptionOfType(SetupException.class)
                        .isThrownBy(() -> covers.tree("/", true))
                        .withMessageContaining(inner + ": EPERM");
            }
        }
    }

    @Test
    @Needs(
            root = true,
            cgroup2 = true,
            programs = {"setpriv", "python3"})
    void whoKeepsTheLocksOfOlderFilesKeepsNoManagerFromStarting() throws Exception {
        Path runtime = mode(Files.createDirectory(folder.resolve("run")), 0755);
        Path lock = mode(Files.createFile(runtime.resolve("lock")), 0644);
        UnitName slice = Stage.freshSlice();
        try (Cgroup own = Cgroup.own();
                Cgroup left = own.create(slice.text())) {
            Path cgroup = Path.of(Cgroup.mountPoint() + left.path());
            Cgroup wide = left.create("lock");
            List<Path> all = new ArrayList<>(List.of(folder, runtime, lock, cgroup));
            all.add(cgroup.resolve("cgroup.max.depth"));
            all.add(cgroup.resolve("lock"));
            try (wide;
                    LockHog hog = LockHog.of(all.toArray(Path[]::new))) {
                assertThat(hog.taken()).hasSize(all.size());

                try (Manager manager = Manager.open(options(runtime, slice), new Happenings())) {
                    assertThat(manager.slice()).contains(left.path());
                    assertBusy(options(runtime, Stage.freshSlice()));
                    assertBusy(options(folder.resolve("other"), slice));
                }
            }
            assertThat(cgroup).doesNotExist();
        }
    }

    private static void assertBusy(ManagerOptions options) {
        assertThatExceptionOfType(ErrnoException.class)
                .isThrownBy(() -> Manager.open(options, new Happenings()).close())
                .matches(e -> e.errno() == Errno.EBUSY);
    }

    @Test
    @Needs(
            root = true,
            cgroup2 = true,
            programs = {"setpriv", "python3"})
    void nobodyElseCanLockWhatAManagerLocks() throws Exception {
        try (Stage stage = Stage.in(folder)) {
            Path cgroup = Path.of(Cgroup.mountPoint() + stage.manager().slice().orElseThrow());
            try (LockHog hog =
                    LockHog.of(stage.runtimeDirectory().resolve("lock"), cgroup.resolve("lock"))) {
                assertThat(hog.taken()).isEmpty();
            }
        }
    }

    @Test
    @Needs(root = true, cgroup2 = true)
    void aSliceInWhichOthersMayMakeCgroupsIsRefused() throws Exception {
        UnitName slice = Stage.freshSlice();
        try (Cgroup own = Cgroup.own();
                Cgroup left = own.create(slice.text(), 0777)) {
            assertThatExceptionOfType(ErrnoException.class)
                    .isThrownBy(() ->
                            Manager.open(options(folder.resolve("run"), slice), new Happenings()))
                    .matches(e -> e.errno() == Errno.EBUSY)
                    .withMessageContaining(
                            "other users may make cgroups in it (owner 0, mode 0777)");
            ErrnoException.check(SysStat.fchmodat(own.fd(), slice.text(), 0755), "chmod", slice);
            left.remove();
        }
    }

    /** Sockets let every user connect, and check permissions themselves. */
    @Test
    void nothingThatAManagerMakesMayBeWrittenByOthers() throws Exception {
        try (Stage stage = Stage.in(folder);
                Systemd1 _ = Systemd1.serve(stage.manager(), stage.runtimeDirectory());
                ManagerInterface _ =
                        ManagerInterface.serve(stage.manager(), stage.runtimeDirectory())) {
            assertThat(modes(stage.runtimeDirectory()))
                    .containsExactlyInAnyOrderEntriesOf(
                            Map.of(
                                    "", 0040755,
                                    "lock", 0100600,
                                    "notify-sockets", 0040711,
                                    "io.holdfast.Manager", 0140666,
                                    "systemd", 0040755,
                                    "systemd/private", 0140600));
        }
        assertThat(modes(folder.resolve("run"))).containsOnlyKeys("");
    }

    private static Map<String, Integer> modes(Path top) throws IOException {
        Map<String, Integer> modes = new java.util.TreeMap<>();
        try (Stream<Path> files = Files.walk(top)) {
            for (Path file : (Iterable<Path>) files::iterator) {
                Object mode = Files.getAttribute(file, "unix:mode", LinkOption.NOFOLLOW_LINKS);
                modes.put(top.relativize(file).toString(), (Integer) mode);
            }
        }
        return modes;
    }
}
