package io.holdfast.core.file.folder;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.Unistd;
import io.holdfast.core.sys.process.ThreadAttributes;
import io.holdfast.core.testkit.AsUser;
import io.holdfast.core.testkit.Needs;
import io.holdfast.core.testkit.OpenDescriptors;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.FutureTask;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class TrustedFolderTest {
    private static final int NOBODY = 65534;

    @TempDir private Path folder;

    @BeforeEach
    void letOthersIn() throws Exception {
        mode(folder, 0755);
    }

    private static Path mode(Path path, int mode) throws Exception {
        return Files.setAttribute(path, "unix:mode", mode);
    }

    private static int modeOf(Path path) throws Exception {
        return (Integer) Files.getAttribute(path, "unix:mode") & 07777;
    }

    private Path made(String name, int mode) throws Exception {
        return mode(Files.createDirectory(folder.resolve(name)), mode);
    }

    private static void owner(Path path, int uid) throws Exception {
        Files.setAttribute(path, "unix:uid", uid, java.nio.file.LinkOption.NOFOLLOW_LINKS);
    }

    private static void assertRefused(int errno, ThrowingCallable opening, String... words) {
        assertThatExceptionOfType(ErrnoException.class)
                .isThrownBy(opening)
                .matches(e -> e.errno() == errno, Errno.name(errno))
                .satisfies(e -> assertThat(e.getMessage()).contains(words).doesNotContain("\n"));
    }

    private static ThrowingCallable making(Path path) {
        return () -> TrustedFolder.make(path).close();
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 077, 0777})
    void whatIsMadeHasItsModeWhateverTheUmask(int umask) throws Exception {
        Path deep = folder.resolve("a/b");
        FutureTask<Void> task =
                new FutureTask<>(() -> {
                    ErrnoException.check(ThreadAttributes.umask(umask), "umask", umask);
                    try (TrustedFolder made = TrustedFolder.make(deep);
                            TrustedFolder child = made.child("c", 0700)) {
                        child.write("file", 0644, "text".getBytes(StandardCharsets.UTF_8));
                    }
                    return null;
                });
        Thread.ofPlatform().start(task);
        task.get();

        assertThat(modeOf(folder.resolve("a"))).isEqualTo(0755);
        assertThat(modeOf(deep)).isEqualTo(0755);
        assertThat(modeOf(deep.resolve("c"))).isEqualTo(0700);
        assertThat(modeOf(deep.resolve("c/file"))).isEqualTo(0644);
        assertThat(deep.resolve("c/file")).hasContent("text");
    }

    @ParameterizedTest
    @ValueSource(ints = {0777, 0775, 0757, 0722})
    void oneThatOthersMayWriteIsRefused(int mode) throws Exception {
        Path wide = made("wide", mode);
        assertRefused(
                Errno.EPERM,
                making(wide),
                wide.toString(),
                "other users may write to it",
                "0" + Integer.toOctalString(mode),
                "remove it with all that is in it");
        assertRefused(Errno.EPERM, making(wide.resolve("below")), "chmod go-w " + wide);
        assertThat(wide).isEmptyDirectory();
        try (TrustedFolder above = TrustedFolder.make(folder)) {
            assertRefused(Errno.EPERM, () -> above.child("wide", 0755).close(), "may write to it");
        }
    }

    @Test
    @Needs(root = true)
    void oneOfAnotherUserIsRefused() throws Exception {
        Path foreign = made("foreign", 0755);
        owner(foreign, NOBODY);
        assertRefused(Errno.EPERM, making(foreign), "belongs to user 65534", "remove it");
        assertRefused(
                Errno.EPERM,
                making(foreign.resolve("below")),
                foreign + " belongs to user 65534",
                "choose another folder");
        assertThat(foreign).isEmptyDirectory();
    }

    @Test
    @Needs(root = true)
    void oneOfTheUserOrOfRootWillDoForTheUser() throws Exception {
        Path shared = made("shared", 01777);
        Path ofRoot = made("root", 0755);
        AsUser.nobody(() -> {
            TrustedFolder.make(shared.resolve("mine/below")).close();
            TrustedFolder.make(ofRoot).close();
        });
        assertThat(Files.getAttribute(shared.resolve("mine/below"), "unix:uid")).isEqualTo(NOBODY);
        assertRefused(Errno.EPERM, making(shared.resolve("mine")), "belongs to user 65534");
    }

    @Test
    void belowTheStickyBitItWillDoAndThatFolderItselfForSocketsOnly() throws Exception {
        Path shared = made("shared", 01777);
        TrustedFolder.make(shared.resolve("ours")).close();
        TrustedFolder.requireForSocket(shared);
        assertRefused(Errno.EPERM, making(shared), "all users share it (mode 01777)");

        Path wide = made("wide", 0777);
        assertRefused(
                Errno.EPERM,
                () -> TrustedFolder.requireForSocket(wide),
                "other users may replace what is in " + wide,
                "chmod go-w " + wide);
    }

    @Test
    void aLinkIsRefusedAndOneAboveIsFollowed() throws Exception {
        Path real = made("real", 0755);
        Path link = Files.createSymbolicLink(folder.resolve("link"), real);
        Path relative =
                Files.createSymbolicLink(folder.resolve("relative"), Path.of("./link/../link"));
        assertRefused(Errno.ELOOP, making(link), link.toString(), "it is a symbolic link");

        TrustedFolder.make(link.resolve("one")).close();
        TrustedFolder.make(relative.resolve("two")).close();
        assertThat(real.resolve("one")).isDirectory();
        assertThat(real.resolve("two")).isDirectory();

        Path circle = Files.createSymbolicLink(folder.resolve("circle"), Path.of("circle"));
        assertRefused(Errno.ELOOP, making(circle.resolve("x")), "more than 40 symbolic links");
        Path wide = Files.createSymbolicLink(folder.resolve("to-wide"), made("wide", 0777));
        assertRefused(Errno.EPERM, making(wide.resolve("x")), "other users may replace");
    }

    @Test
    void dotsAtTheEndOfAPathChangeNothing() throws Exception {
        Path shared = made("shared", 01777);
        Path wide = made("wide", 0777);
        Path below = made("shared/below", 0755);
        Path link = Files.createSymbolicLink(folder.resolve("link"), below);
        for (Path path : List.of(shared.resolve("."), shared.resolve("./."), below.resolve(".."))) {
            assertRefused(Errno.EPERM, making(path), "all users share it (mode 01777)");
            TrustedFolder.requireForSocket(path);
        }
        assertRefused(Errno.EPERM, making(wide.resolve(".")), "other users may write to it");
        assertRefused(Errno.ELOOP, making(link.resolve(".")), "it is a symbolic link");
        assertRefused(Errno.EPERM, making(link.resolve("..")), "all users share it");

        TrustedFolder.make(folder.resolve("made/."), 0700).close();
        assertThat(modeOf(folder.resolve("made"))).isEqualTo(0700);
        TrustedFolder.open(folder.resolve("made/..")).close();
        TrustedFolder.open(Path.of("/")).close();
    }

    @Test
    @Needs(root = true)
    void aLinkOfAnotherUserIsNotFollowed() throws Exception {
        Path shared = made("shared", 01777);
        Path link = Files.createSymbolicLink(shared.resolve("link"), made("real", 0755));
        owner(link, NOBODY);
        assertRefused(
                Errno.EPERM,
                making(link.resolve("x")),
                link + " is a symbolic link of user 65534",
                "remove it");
        assertThat(folder.resolve("real")).isEmptyDirectory();
    }

    @Test
    void aFileIsNoFolder() throws Exception {
        Path file = Files.createFile(folder.resolve("file"));
        assertRefused(Errno.ENOTDIR, making(file), file.toString(), "it is a file; remove it");
        assertRefused(Errno.ENOTDIR, making(file.resolve("x")), file + " is a file");
        assertRefused(
                Errno.ENOENT, () -> TrustedFolder.open(folder.resolve("none")).close(), "none");
        assertThat(folder.resolve("none")).doesNotExist();
    }

    @Test
    void whatIsWrittenIsANewFile() throws Exception {
        Path file = mode(Files.writeString(folder.resolve("file"), "old text"), 0666);
        try (TrustedFolder above = TrustedFolder.open(folder);
                Fd before = Fcntl.open(file.toString(), Fcntl.O_WRONLY)) {
            byte[] longText = "x".repeat(20_000).getBytes(StandardCharsets.UTF_8);
            above.write("file", 0640, longText);
            int n = Unistd.write(before, "hostile".getBytes(StandardCharsets.UTF_8), 0, 7);
            assertThat(n).isEqualTo(7);
            assertThat(file).hasBinaryContent(longText);
            assertThat(modeOf(file)).isEqualTo(0640);

            Path elsewhere = Files.writeString(folder.resolve("elsewhere"), "kept");
            Files.createSymbolicLink(folder.resolve("link"), elsewhere);
            above.write("link", 0644, new byte[0]);
            assertThat(elsewhere).hasContent("kept");
            assertThat(folder.resolve("link")).isEmptyFile().isRegularFile();
        }
    }

    @Test
    void noDescriptorIsLeft() throws Exception {
        Path wide = made("wide", 0777);
        Path link = Files.createSymbolicLink(folder.resolve("link"), folder);
        OpenDescriptors before = OpenDescriptors.now();
        for (Path refused : new Path[] {wide, wide.resolve("x"), link, folder.resolve("none")}) {
            assertThatExceptionOfType(ErrnoException.class)
                    .isThrownBy(() -> TrustedFolder.open(refused).close());
        }
        TrustedFolder.make(link.resolve("made")).close();
        before.awaitSameNumber();
    }
}
