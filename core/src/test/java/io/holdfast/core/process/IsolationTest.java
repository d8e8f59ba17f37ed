package io.holdfast.core.process;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.Feature;
import io.holdfast.core.process.privilege.SetupProgram;
import io.holdfast.core.sys.SysStat;
import io.holdfast.core.testkit.Needs;
import io.holdfast.core.testkit.OpenDescriptors;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(120)
@Needs(root = true, features = Feature.MOUNT_TREES)
class IsolationTest {
    @TempDir private Path folder;

    /** Returns the output of a shell in the namespaces, standard error included. */
    private static String shell(Isolation isolation, String text) throws Exception {
        return output(Spawn.of("/bin/sh", "-c", text).isolation(isolation));
    }

    private static String output(Spawn spawn) throws Exception {
        try (Child child = spawn.stdout(Stdio.pipe()).stderr(Stdio.merged()).start()) {
            String text = new String(child.stdout().readAllBytes(), UTF_8);
            assertThat(child.await()).as(text).isEqualTo(new Exit.Exited(0));
            return text.strip();
        }
    }

    private static String mounts() throws Exception {
        return Files.readString(Path.of("/proc/self/mountinfo"));
    }

    @Test
    void whatIsReadOnlyInsideIsNotOutside() throws Exception {
        String before = mounts();
        Isolation isolation = new Isolation().readOnly("/");
        assertThat(shell(isolation, "! touch " + folder + "/x")).contains("Read-only");
        Files.createFile(folder.resolve("x"));
        assertThat(mounts()).isEqualTo(before);
    }

    /** As the root of a chroot(2) usually is none. */
    @Test
    void aDirectoryThatIsNoMountPointIsNamedWithARemedy() {
        assertThatThrownBy(() -> shell(new Isolation().readOnly(folder.toString()), "true"))
                .isInstanceOf(Isolation.FailedException.class)
                .hasMessageContaining(folder + ": EINVAL")
                .hasMessageContaining("it is no mount point; the root of a chroot(2) becomes one");
    }

    @Test
    void aTreeIsAsItWasBeforeWhatIsAboveBecameReadOnly() throws Exception {
        Path open = Files.createDirectory(folder.resolve("open"));
        Isolation isolation =
                new Isolation().readOnly("/").mount(MountTree.at(open.toString()), open.toString());
        assertThat(shell(isolation, "touch " + open + "/x && ! touch " + folder + "/x"))
                .contains("Read-only");
        assertThat(open.resolve("x")).exists();
    }

    @Test
    void aFileSystemOfItsOwnIsFilledBeforeItIsThere() throws Exception {
        MountTree tree =
                MountTree.fileSystem("tmpfs", Map.of("mode", "0750"), MountAttribute.NO_SUID)
                        .filledBy(at -> SysStat.mkdirat(at, "made", 0700))
                        .readOnly();
        Isolation isolation = new Isolation().mount(tree, folder.toString());
        String text =
                shell(
                        isolation,
                        "stat -c %a . && ls && ! touch x && grep ' '$PWD' ' /proc/self/mounts",
                        folder);
        assertThat(text.lines()).startsWith("750", "made");
        assertThat(text).contains("ro,nosuid");
        assertThat(folder).isEmptyDirectory();
    }

    private static String shell(Isolation isolation, String text, Path directory) throws Exception {
        return output(Spawn.of("/bin/sh", "-c", text).isolation(isolation).directory(directory));
    }

    @ParameterizedTest
    @ValueSource(strings = {"UTS", "IPC", "NET", "MNT"})
    void freshNamespacesAreNotOurs(Namespace.Kind kind) throws Exception {
        String link = "readlink /proc/self/ns/" + kind.fileName();
        String own = output(Spawn.of("/bin/sh", "-c", link));
        assertThat(shell(new Isolation().fresh(kind), link)).isNotEqualTo(own);
        assertThat(output(Spawn.of("/bin/sh", "-c", link))).isEqualTo(own);
    }

    private static MountTree empty() {
        return MountTree.fileSystem("tmpfs", Map.of("mode", "0755"));
    }

    @Test
    void aChildIsHeldAlsoIfItSeesNoProc() throws Exception {
        Isolation isolation = new Isolation().mount(empty(), "/proc");
        Spawn spawn =
                Spawn.of("/bin/sh", "-c", "ls /proc; pwd; echo $NUMBER")
                        .isolation(isolation)
                        .directory(folder)
                        .environmentOfPid("NUMBER");
        assertThat(output(spawn)).matches(folder + "\n[0-9]+");
    }

    @Test
    void aDescriptorIsExecutedAlsoWhereThereIsNoProc() throws Exception {
        SetupProgram setup = new SetupProgram();
        setup.call(200, SetupProgram.Call.CHDIR, setup.put((folder + "\0").getBytes(UTF_8)));
        try (Fd file = setup.file("/bin/pwd", 203)) {
            Isolation isolation = new Isolation().mount(empty(), "/proc");
            Spawn spawn = Spawn.ofDescriptor(3).descriptor(3, file);
            assertThat(output(spawn.copy())).isEqualTo(folder.toString());
            assertThat(output(spawn.isolation(isolation).whileHeld(_ -> {})))
                    .isEqualTo(folder.toString());
        }
    }

    @Test
    void aChildIsTheFirstProcessOfItsOwnPidNamespace() throws Exception {
        Isolation isolation = new Isolation().fresh(Namespace.Kind.PID);
        Spawn spawn = Spawn.of("/bin/sh", "-c", "echo $$ $NUMBER").environmentOfPid("NUMBER");
        assertThat(output(spawn.copy().isolation(isolation))).isEqualTo("1 1");
        assertThat(output(spawn)).doesNotContain("1 1");
    }

    @Test
    void thePropagationOfItsMountsIsThatOfTheDescription() throws Exception {
        String shown = "grep -m1 ' / / ' /proc/self/mountinfo | grep -o -e shared -e master; :";
        assertThat(shell(new Isolation().withoutPropagation(), shown)).isEmpty();
        assertThat(shell(new Isolation().fresh(Namespace.Kind.MNT).sharedMounts(), shown))
                .contains("shared");
    }

    @Test
    void childrenCanShareANamespace() throws Exception {
        try (Namespace net = Namespace.make(Namespace.Kind.NET)) {
            Isolation isolation = new Isolation().join(net);
            for (int i = 0; i < 2; i++) {
                assertThat(shell(isolation, "readlink /proc/self/ns/net && cat /proc/net/dev"))
                        .contains("net:[" + net.inode() + "]", "lo:")
                        .doesNotContain("eth");
            }
            assertThat(shell(isolation, "cat /proc/net/if_inet6 /proc/net/fib_trie"))
                    .contains("127.0.0.1"); // the loopback device is up
        }
    }

    @Test
    void aHeldChildIsInsideAndKeepsItsNumber() throws Exception {
        int[] held = {0};
        Spawn spawn =
                Spawn.of("/bin/sh", "-c", "echo $$ $WHO; ! touch " + folder + "/x")
                        .isolation(new Isolation().readOnly("/"))
                        .environmentOfPid("WHO")
                        .whileHeld(child -> held[0] = child.pid());
        assertThat(output(spawn)).startsWith(held[0] + " " + held[0] + "\n").contains("Read-only");
    }

    @Test
    void theProgramAndTheDirectoryAreThoseInside() throws Exception {
        Path inside = Files.createDirectory(folder.resolve("inside"));
        Path program = Files.writeString(inside.resolve("program"), "#!/bin/sh\npwd\n");
        assertThat(program.toFile().setExecutable(true)).isTrue();
        Path there = Files.createDirectory(folder.resolve("there"));
        Isolation isolation = new Isolation().mount(MountTree.at("" + inside), "" + there);
        Spawn spawn =
                Spawn.of(there.resolve("program").toString()).isolation(isolation).directory(there);
        assertThat(output(spawn)).isEqualTo("" + there);
    }

    @Test
    void nothingStartsWhereSomethingCannotBeMounted() throws Exception {
        OpenDescriptors before = OpenDescriptors.now();
        {
            Path mark = folder.resolve("mark");
            Spawn spawn =
                    Spawn.of("/bin/touch", mark.toString())
                            .isolation(new Isolation().mount(MountTree.at("/etc"), "/no/where"));
            assertThatExceptionOfType(Isolation.FailedException.class)
                    .isThrownBy(spawn::start)
                    .withMessage("openat2 /no/where: ENOENT (no such file or directory)");
            assertThatExceptionOfType(Isolation.FailedException.class)
                    .isThrownBy(() ->
                            spawn.isolation(new Isolation().mount(MountTree.at("/no"), "/etc"))
                                    .start())
                    .withMessageContaining("open_tree /no: ENOENT")
                    .withMessageContaining("mount target: /etc");
            assertThat(mark).doesNotExist();
        }
        assertThat(OpenDescriptors.now()).isEqualTo(before);
    }

    @Test
    void nothingIsMountedByWayOfALink() throws Exception {
        Path target = Files.createDirectory(folder.resolve("target"));
        Path inner = Files.createDirectory(target.resolve("inner"));
        Path link = Files.createSymbolicLink(folder.resolve("link"), target);
        OpenDescriptors before = OpenDescriptors.now();
        MountTree tree = MountTree.fileSystem("tmpfs", Map.of());
        for (Path path : List.of(link, link.resolve("inner"))) {
            assertThatExceptionOfType(Isolation.FailedException.class)
                    .isThrownBy(() ->
                            Spawn.of("/bin/true")
                                    .isolation(new Isolation().mount(tree, path.toString()))
                                    .start())
                    .withMessageContaining("openat2 " + path + ": ELOOP");
        }
        try (Child child =
                Spawn.of("/bin/true")
                        .isolation(new Isolation().mount(tree, inner.toString()))
                        .start()) {
            assertThat(child.await().isSuccess()).isTrue();
        }
        assertThat(OpenDescriptors.now()).isEqualTo(before);
    }

    @Test
    void aProgramThatIsHiddenIsReportedAsMissing() {
        Spawn spawn =
                Spawn.of("/etc/hostname")
                        .isolation(
                                new Isolation()
                                        .mount(MountTree.fileSystem("tmpfs", Map.of()), "/etc"));
        assertThatExceptionOfType(ErrnoException.class)
                .isThrownBy(spawn::start)
                .matches(e -> e.errno() == Errno.ENOENT);
    }

    @Test
    void aDirectoryThatIsNotThereInsideIsNamedBesideTheProgram() throws Exception {
        Path hidden = Files.createDirectory(folder.resolve("hidden"));
        MountTree over = MountTree.fileSystem("tmpfs", Map.of());
        Spawn spawn =
                Spawn.of("/bin/true")
                        .directory(hidden)
                        .isolation(new Isolation().mount(over, folder.toString()));
        assertThatExceptionOfType(ErrnoException.class)
                .isThrownBy(spawn::start)
                .withMessageContainingAll("/bin/true: ENOENT", "its directory " + hidden);
    }

    @Test
    void otherKindsCannotBeMade() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new Isolation().fresh(Namespace.Kind.USER));
        assertThatIllegalArgumentException().isThrownBy(() -> Namespace.make(Namespace.Kind.MNT));
    }
}
