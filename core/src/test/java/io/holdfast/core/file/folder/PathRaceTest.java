package io.holdfast.core.file.folder;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.Fd;
import io.holdfast.core.FileStatus;
import io.holdfast.core.file.FileException;
import io.holdfast.core.file.FileKind;
import io.holdfast.core.file.OpenHow;
import io.holdfast.core.file.OpenedFile;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.SysStat;
import io.holdfast.core.testkit.Gen;
import io.holdfast.core.testkit.HostileUser;
import io.holdfast.core.testkit.Needs;
import io.holdfast.core.testkit.OpenDescriptors;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Paths that another thread exchanges during the open, and random trees. */
@Timeout(60)
@Needs(
        root = true,
        programs = {"gcc", "setpriv"})
class PathRaceTest {
    private static final long USER = 65534;
    private static final int ROUNDS = 500;

    private final OpenDescriptors before = OpenDescriptors.now();

    @TempDir Path folder;

    @AfterEach
    void nothingStaysOpen() {
        before.awaitSameNumber();
    }

    private static void chown(Path path, long uid) {
        try (Fd held = Fcntl.open(path.toString(), Fcntl.O_PATH | Fcntl.O_NOFOLLOW)) {
            assertThat(SysStat.chown(held, uid, uid)).isZero();
        }
    }

    private Path make(String name, long uid) throws IOException {
        Path made = Files.createDirectory(folder.resolve(name));
        chown(made, uid);
        return made;
    }

    @Test
    void aLinkThatIsExchangedWithTheFileIsNeverFollowedToRootsFile() throws IOException {
        Path secret = Files.writeString(folder.resolve("secret"), "root's");
        Path own = make("user", USER);
        chown(Files.writeString(own.resolve("file"), "his"), USER);
        chown(Files.createSymbolicLink(own.resolve("link"), secret), USER);
        Files.setPosixFilePermissions(
                folder, java.nio.file.attribute.PosixFilePermissions.fromString("rwxr-xr-x"));
        OpenHow how = OpenHow.readingAndWriting();
        int opened = 0;
        int refused = 0;
        try (HostileUser _ =
                HostileUser.exchanging(USER, own.resolve("file"), own.resolve("link"))) {
            for (int i = 0; i < ROUNDS || (i < 50 * ROUNDS && opened * refused == 0); i++) {
                try (OpenedFile file = OpenedFile.open(own + "/file", how)) {
                    assertThat(SysStat.stat(file.fd()).uid()).isEqualTo(USER);
                    assertThat(file.readAll(100)).asString().isEqualTo("his");
                    opened++;
                } catch (FileException e) {
                    assertThat(e).hasMessageContaining("belongs to user 0");
                    refused++;
                }
            }
        }
        assertThat(opened).isPositive();
        assertThat(refused).isPositive();
    }

    @Test
    void nothingIsMadeOutsideThoughADirectoryIsExchangedWithALink() throws IOException {
        Path outside = make("outside", 0);
        Path own = make("user", USER);
        Path inner = Files.createDirectory(own.resolve("in"));
        chown(inner, USER);
        chown(Files.createSymbolicLink(own.resolve("link"), outside), USER);
        Files.setPosixFilePermissions(
                folder, java.nio.file.attribute.PosixFilePermissions.fromString("rwxr-xr-x"));
        OpenHow how = OpenHow.writing().creating(0600);
        int made = 0;
        try (HostileUser _ = HostileUser.exchanging(USER, inner, own.resolve("link"))) {
            for (int i = 0; i < ROUNDS || (i < 50 * ROUNDS && made == 0); i++) {
                try (OpenedFile _ = OpenedFile.open(inner + "/file" + i, how)) {
                    made++;
                } catch (FileException e) {
                    assertThat(e).hasMessageContaining("ELOOP");
                }
                try (Directory directory = Directory.make(inner + "/d" + i, 0700)) {
                    assertThat(directory.isStable()).isFalse();
                } catch (FileException e) {
                    assertThat(e).hasMessageContaining("ELOOP");
                }
            }
        }
        assertThat(made).isPositive();
        assertThat(outside).isEmptyDirectory();
    }

    static Stream<Gen> trees() {
        return Gen.cases(60);
    }

    /**
     * In any tree of directories, files and links of two owners, the opened file is the one that
     * the kernel finds by the path; and if a link of the user was on the way, the file belongs to
     * the user.
     */
    @ParameterizedTest
    @MethodSource("trees")
    void whatIsOpenedIsWhatTheKernelFindsAndNeverRootsByAUsersLink(Gen gen) throws IOException {
        List<Path> directories = new ArrayList<>(List.of(folder));
        List<Path> all = new ArrayList<>();
        for (int i = 0; i < 25; i++) {
            Path directory = gen.oneOf(directories);
            Path path = directory.resolve("n" + i);
            long parent = SysStat.stat(directory.toString()).uid();
            long owner = parent == USER && gen.chance(0.8) ? USER : gen.chance(0.3) ? USER : 0;
            switch (gen.between(0, 2)) {
                case 0 -> directories.add(Files.createDirectory(path));
                case 1 -> Files.writeString(path, "content");
                default ->
                        Files.createSymbolicLink(
                                path,
                                all.isEmpty() || gen.chance(0.1)
                                        ? Path.of("none")
                                        : target(gen, directory, gen.oneOf(all)));
            }
            chown(path, owner);
            all.add(path);
        }
        for (int i = 0; i < 100; i++) {
            Path path = gen.oneOf(all);
            while (gen.chance(0.4)) {
                path = Path.of(path + "/" + gen.oneOf("..", "n" + gen.between(0, 24), "."));
            }
            check(path);
        }
    }

    private static Path target(Gen gen, Path directory, Path target) {
        Path relative = directory.relativize(target);
        return gen.chance(0.5) || relative.toString().isEmpty() ? target : relative;
    }

    private static void check(Path path) throws IOException {
        OpenHow how = OpenHow.reading().kinds(FileKind.REGULAR, FileKind.DIRECTORY);
        String real;
        try {
            real = path.toRealPath().toString();
        } catch (FileSystemException e) {
            real = "";
        }
        try (OpenedFile file = OpenedFile.open(path.toString(), how)) {
            assertThat(real).as("%s is there", path).isNotEmpty();
            FileStatus found = SysStat.stat(file.fd());
            assertThat(found.isSameFile(SysStat.stat(real))).as("%s", path).isTrue();
            if (found.uid() == 0) {
                assertThat(linksOnTheWay(path)).as("%s", path).doesNotContain(USER);
            }
        } catch (FileException e) {
            if (!real.isEmpty()) {
                assertThat(e).as("%s", path).hasMessageContaining("user " + USER);
            }
        }
    }

    /**
     * The owners of the links of a path that lie in the user's directories, as a plain walk finds
     * them.
     */
    private static List<Long> linksOnTheWay(Path path) throws IOException {
        List<Long> owners = new ArrayList<>();
        walk(Path.of("/"), path, owners);
        return owners;
    }

    private static Path walk(Path from, Path path, List<Long> owners) throws IOException {
        Path at = path.isAbsolute() ? Path.of("/") : from;
        for (Path name : path) {
            Path next = at.resolve(name);
            if (name.toString().equals("..")) {
                at = at.getParent() == null ? at : at.getParent();
            } else if (Files.isSymbolicLink(next)) {
                if (SysStat.stat(at.toString()).uid() == USER) {
                    owners.add(SysStat.stat(next.toString()).uid());
                }
                at = walk(at, Files.readSymbolicLink(next), owners);
            } else if (!name.toString().equals(".")) {
                at = next;
            }
        }
        return at;
    }
}
