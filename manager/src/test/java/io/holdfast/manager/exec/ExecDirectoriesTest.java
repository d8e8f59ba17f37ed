package io.holdfast.manager.exec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.holdfast.core.file.FileException;
import io.holdfast.core.file.folder.TreeRemoval;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.Namespace;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.sys.Unistd;
import io.holdfast.manager.unit.ManagerScope;
import io.holdfast.manager.unit.settings.ExecSettings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class ExecDirectoriesTest {
    private static final long SOMEBODY = 54321;
    private static final long SOME_GROUP = 54322;
    private static final long UNCHANGED = ExecDirectories.UNCHANGED;

    @TempDir private Path folder;
    private ManagerScope scope = ManagerScope.system(Map.of());

    @BeforeEach
    void rootInTheFolder() {
        scope = TestUnits.scopeIn(folder);
    }

    private ExecDirectories directories(String... lines) {
        return new ExecDirectories(TestUnits.service(scope, lines).exec(), scope);
    }

    private static String ownerAndMode(Path path) throws IOException {
        return attribute(path, "uid")
                + ":"
                + attribute(path, "gid")
                + " "
                + Integer.toOctalString(attribute(path, "mode") & 07777);
    }

    private static int attribute(Path path, String name) throws IOException {
        return (Integer) Files.getAttribute(path, "unix:" + name, LinkOption.NOFOLLOW_LINKS);
    }

    private static void assumeRoot() {
        assumeThat(Unistd.geteuid()).as("root, who alone can give files away").isZero();
    }

    @Test
    void theInnermostFolderGetsOwnerAndMode() throws Exception {
        assumeRoot();
        Map<String, String> variables =
                directories(
                                "RuntimeDirectory=redis/a/b redis2",
                                "RuntimeDirectoryMode=2755",
                                "StateDirectory=redis",
                                "StateDirectoryMode=0700")
                        .create(SOMEBODY, SOME_GROUP);
        assertThat(ownerAndMode(folder.resolve("run/redis"))).isEqualTo("0:0 755");
        assertThat(ownerAndMode(folder.resolve("run/redis/a"))).isEqualTo("0:0 755");
        assertThat(ownerAndMode(folder.resolve("run/redis/a/b"))).isEqualTo("54321:54322 2755");
        assertThat(ownerAndMode(folder.resolve("run/redis2"))).isEqualTo("54321:54322 2755");
        assertThat(ownerAndMode(folder.resolve("state/redis"))).isEqualTo("54321:54322 700");
        assertThat(variables)
                .containsOnly(
                        Map.entry(
                                "RUNTIME_DIRECTORY",
                                folder + "/run/redis/a/b:" + folder + "/run/redis2"),
                        Map.entry("STATE_DIRECTORY", folder + "/state/redis"));
    }

    @Test
    void aFolderThatIsThereIsSetRightButNotWhatIsInIt() throws Exception {
        assumeRoot();
        Path state = Files.createDirectories(folder.resolve("state/redis"));
        Path file = Files.createFile(state.resolve("dump.rdb"));
        directories("StateDirectory=redis", "StateDirectoryMode=0750").create(SOMEBODY, UNCHANGED);
        assertThat(ownerAndMode(state)).isEqualTo("54321:0 750");
        assertThat(ownerAndMode(file)).startsWith("0:0 ");
    }

    @Test
    void configurationStaysOursAndAsItIs() throws Exception {
        assumeRoot();
        ExecDirectories directories =
                directories("ConfigurationDirectory=redis", "ConfigurationDirectoryMode=0750");
        directories.create(SOMEBODY, SOME_GROUP);
        Path configuration = folder.resolve("etc/redis");
        assertThat(ownerAndMode(configuration)).isEqualTo("0:0 750");
        Files.setAttribute(configuration, "unix:mode", 0700);
        directories.create(SOMEBODY, SOME_GROUP);
        assertThat(ownerAndMode(configuration)).isEqualTo("0:0 700");
    }

    @Test
    void noSymbolicLinkIsFollowed() throws Exception {
        Path elsewhere = Files.createDirectories(folder.resolve("elsewhere"));
        String before = ownerAndMode(elsewhere);
        Files.createDirectories(folder.resolve("state"));
        Files.createSymbolicLink(folder.resolve("state/redis"), elsewhere);
        for (String path : new String[] {"redis", "redis/inner"}) {
            assertThatExceptionOfType(SetupException.class)
                    .isThrownBy(() ->
                            directories("StateDirectory=" + path, "StateDirectoryMode=0777")
                                    .create(UNCHANGED, UNCHANGED))
                    .withMessageContaining("state/redis")
                    .withMessageContaining("symbolic link")
                    .matches(e -> e.step() == SetupException.Step.STATE_DIRECTORY);
        }
        assertThat(ownerAndMode(elsewhere)).isEqualTo(before);
        assertThat(elsewhere).isEmptyDirectory();
    }

    @Test
    void linksLeadToTheFolder() throws Exception {
        ExecDirectories directories = directories("RuntimeDirectory=a/b:c/d x:y");
        directories.create(UNCHANGED, UNCHANGED);
        directories.create(UNCHANGED, UNCHANGED);
        assertThat(Files.readSymbolicLink(folder.resolve("run/c/d"))).hasToString("../a/b");
        assertThat(folder.resolve("run/c/d").toRealPath())
                .isEqualTo(folder.resolve("run/a/b").toRealPath());
        assertThat(Files.readSymbolicLink(folder.resolve("run/y"))).hasToString("x");
        directories.removeRuntime(false);
        assertThat(folder.resolve("run/a")).isEmptyDirectory();
        assertThat(folder.resolve("run/c")).isEmptyDirectory();
        assertThat(folder.resolve("run/y")).doesNotExist();
    }

    @Test
    void whatStandsWhereALinkShouldIsNotReplaced() throws Exception {
        Files.createDirectories(folder.resolve("run"));
        Path file = Files.writeString(folder.resolve("run/y"), "precious");
        assertThatExceptionOfType(SetupException.class)
                .isThrownBy(() -> directories("RuntimeDirectory=x:y").create(UNCHANGED, UNCHANGED))
                .withMessageContaining("/run/y")
                .withMessageContaining("EEXIST");
        assertThat(file).hasContent("precious");
    }

    @Test
    void theRuntimeFolderGoesWithAllThatIsInIt() throws Exception {
        ExecDirectories directories = directories("RuntimeDirectory=r", "StateDirectory=s");
        directories.create(UNCHANGED, UNCHANGED);
        Path keep = Files.createDirectories(folder.resolve("keep"));
        Files.writeString(keep.resolve("file"), "precious");
        Path deep = folder.resolve("run/r");
        for (int i = 0; i < TreeRemoval.MAX_DEPTH - 1; i++) {
            deep = deep.resolve("d");
        }
        Files.createDirectories(deep);
        Files.createSymbolicLink(folder.resolve("run/r/link"), keep);
        for (int i = 0; i < 3000; i++) {
            Files.createFile(folder.resolve("run/r/file" + i));
        }
        directories.removeRuntime(false);
        assertThat(folder.resolve("run/r")).doesNotExist();
        assertThat(folder.resolve("state/s")).exists();
        assertThat(keep.resolve("file")).hasContent("precious");
        directories.removeRuntime(false);
    }

    @Test
    void aRuntimeFolderThatIsALinkIsRemovedAsALink() throws Exception {
        Path keep = Files.createDirectories(folder.resolve("keep/inner"));
        Files.createDirectories(folder.resolve("run"));
        Files.createSymbolicLink(folder.resolve("run/r"), folder.resolve("keep"));
        directories("RuntimeDirectory=r").removeRuntime(false);
        assertThat(Files.exists(folder.resolve("run/r"), LinkOption.NOFOLLOW_LINKS)).isFalse();
        assertThat(keep).exists();
    }

    @Test
    void theWayToARuntimeFolderIsNotALink() throws Exception {
        Path keep = Files.createDirectories(folder.resolve("keep/inner"));
        Files.createDirectories(folder.resolve("run"));
        Files.createSymbolicLink(folder.resolve("run/r"), folder.resolve("keep"));
        ExecDirectories directories = directories("RuntimeDirectory=r/inner");
        assertThatExceptionOfType(FileException.class)
                .isThrownBy(() -> directories.removeRuntime(false));
        assertThat(keep).exists();
    }

    @Test
    void whatIsTooDeepIsLeft() throws Exception {
        Path deep = folder.resolve("run/r");
        for (int i = 0; i < TreeRemoval.MAX_DEPTH + 2; i++) {
            deep = deep.resolve("d");
        }
        Files.createDirectories(deep);
        Files.createFile(folder.resolve("run/r/file"));
        assertThatExceptionOfType(FileException.class)
                .isThrownBy(() -> directories("RuntimeDirectory=r").removeRuntime(false))
                .withMessageContaining("deep");
        assertThat(folder.resolve("run/r/file")).doesNotExist();
        assertThat(deep).exists();
    }

    @Test
    void aRuntimeFolderCanBePreserved() throws Exception {
        ExecDirectories always = directories("RuntimeDirectory=r", "RuntimeDirectoryPreserve=yes");
        always.create(UNCHANGED, UNCHANGED);
        always.removeRuntime(false);
        assertThat(folder.resolve("run/r")).exists();
        ExecDirectories restart =
                directories("RuntimeDirectory=r", "RuntimeDirectoryPreserve=restart");
        restart.removeRuntime(true);
        assertThat(folder.resolve("run/r")).exists();
        restart.removeRuntime(false);
        assertThat(folder.resolve("run/r")).doesNotExist();
    }

    @Test
    void theFoldersOfADynamicUserAreReachedByRootOnly() throws Exception {
        assumeRoot();
        Map<String, String> variables =
                directories(
                                "DynamicUser=yes",
                                "StateDirectory=a a/b c/d",
                                "CacheDirectory=a",
                                "RuntimeDirectory=a",
                                "ConfigurationDirectory=a",
                                "StateDirectoryMode=0750")
                        .create(SOMEBODY, SOME_GROUP);
        assertThat(ownerAndMode(folder.resolve("state/private"))).isEqualTo("0:0 700");
        assertThat(ownerAndMode(folder.resolve("cache/private"))).isEqualTo("0:0 700");
        assertThat(ownerAndMode(folder.resolve("state/private/a/b"))).isEqualTo("54321:54322 750");
        assertThat(Files.readSymbolicLink(folder.resolve("state/a"))).hasToString("private/a");
        assertThat(Files.readSymbolicLink(folder.resolve("state/c/d")))
                .hasToString("../private/c/d");
        assertThat(ownerAndMode(folder.resolve("run/a"))).startsWith("54321:54322 ");
        assertThat(folder.resolve("etc/private")).doesNotExist();
        String state = folder + "/state/private/";
        assertThat(variables)
                .containsEntry("STATE_DIRECTORY", state + "a:" + state + "a/b:" + state + "c/d")
                .containsEntry("RUNTIME_DIRECTORY", folder + "/run/a");
    }

    @Test
    void theContentOfAPrivateFolderIsGivenToTheNextUserWithoutPrivileges() throws Exception {
        assumeRoot();
        ExecDirectories directories = directories("DynamicUser=yes", "StateDirectory=a");
        directories.create(SOMEBODY, SOME_GROUP);
        Path state = folder.resolve("state/private/a");
        Path inner = Files.createDirectory(state.resolve("inner"));
        Path program = Files.writeString(inner.resolve("program"), "");
        Files.setAttribute(program, "unix:uid", (int) SOMEBODY);
        Files.setAttribute(program, "unix:mode", 06755);
        Path elsewhere = Files.writeString(folder.resolve("elsewhere"), "");
        Files.createSymbolicLink(inner.resolve("link"), elsewhere);
        Files.createLink(inner.resolve("hard"), elsewhere);
        directories.create(SOMEBODY + 10, SOME_GROUP + 10);
        assertThat(ownerAndMode(state)).isEqualTo("54331:54332 755");
        assertThat(ownerAndMode(inner)).startsWith("54331:54332 ");
        assertThat(ownerAndMode(program)).isEqualTo("54331:54332 755");
        assertThat(ownerAndMode(inner.resolve("link"))).startsWith("54331:54332 ");
        assertThat(ownerAndMode(elsewhere)).startsWith("0:0 ");
    }

    @Test
    void aFolderMovesWhenItsServiceGetsOrLosesItsDynamicUser() throws Exception {
        assumeRoot();
        directories("StateDirectory=x/a").create(SOMEBODY, SOME_GROUP);
        Path file = Files.writeString(folder.resolve("state/x/a/file"), "precious");
        ExecDirectories dynamic = directories("DynamicUser=yes", "StateDirectory=x/a");
        assertThat(dynamic.owners()).containsExactly(SOMEBODY);
        dynamic.create(SOMEBODY + 1, SOME_GROUP + 1);
        assertThat(file.toRealPath())
                .isEqualTo(folder.resolve("state/private/x/a/file").toRealPath())
                .hasContent("precious");
        assertThat(ownerAndMode(file)).startsWith("54322:54323 ");
        directories("StateDirectory=x/a").create(UNCHANGED, UNCHANGED);
        assertThat(Files.isDirectory(folder.resolve("state/x/a"), LinkOption.NOFOLLOW_LINKS))
                .isTrue();
        assertThat(file).hasContent("precious");
        assertThat(ownerAndMode(file)).startsWith("0:0 ");
        assertThat(folder.resolve("state/private/x")).isEmptyDirectory();
    }

    /** Returns the folders as a manager has them that can mount nothing. */
    private ExecDirectories withoutMounts(String... lines) {
        ExecSettings settings = TestUnits.service(scope, lines).exec();
        return new ExecDirectories(
                settings.withSandbox(settings.sandbox().without(Set.of(Namespace.Kind.MNT))),
                scope);
    }

    private static Path program(Path folder) throws IOException {
        Path program = Files.writeString(folder.resolve("program"), "");
        Files.setAttribute(program, "unix:uid", (int) SOMEBODY);
        Files.setAttribute(program, "unix:mode", 04755);
        return program;
    }

    @Test
    void theContentOfAFolderIsGivenToTheNextDynamicUserAlsoWithoutMounts() throws Exception {
        assumeRoot();
        ExecDirectories directories = withoutMounts("DynamicUser=yes", "StateDirectory=a");
        directories.create(SOMEBODY, SOME_GROUP);
        Path program = program(folder.resolve("state/a"));
        directories.create(SOMEBODY + 10, SOME_GROUP + 10);

        assertThat(ownerAndMode(folder.resolve("state/a"))).isEqualTo("54331:54332 755");
        assertThat(ownerAndMode(program)).isEqualTo("54331:54332 755");
    }

    @Test
    void aFolderOfADynamicUserIsRootsAloneAfterAStopWithoutMounts() throws Exception {
        assumeRoot();
        ExecDirectories directories = withoutMounts("DynamicUser=yes", "StateDirectory=a");
        directories.create(SOMEBODY, SOME_GROUP);
        Path program = program(folder.resolve("state/a"));
        directories.takeBack();
        assertThat(ownerAndMode(folder.resolve("state/a"))).isEqualTo("0:0 700");

        directories.create(SOMEBODY + 10, SOME_GROUP + 10);
        assertThat(ownerAndMode(folder.resolve("state/a"))).isEqualTo("54331:54332 755");
        assertThat(ownerAndMode(program)).isEqualTo("54331:54332 755");
    }

    @Test
    void aHardLinkToAFileOfRootStaysRootsAfterRootHasTakenTheFolderBack() throws Exception {
        assumeRoot();
        ExecDirectories directories = withoutMounts("DynamicUser=yes", "StateDirectory=a");
        directories.create(SOMEBODY, SOME_GROUP);
        Path secret = Files.writeString(folder.resolve("secret"), "root's");
        Path link = Files.createLink(folder.resolve("state/a/link"), secret);
        directories.takeBack();
        directories.create(SOMEBODY + 10, SOME_GROUP + 10);

        assertThat(ownerAndMode(link)).startsWith("0:0 ");
    }

    /** overlayfs(5), on which containers run, does not rename a folder of a lower layer. */
    @Test
    void aFolderOfAnImageThatCannotBeMovedIsNamedWithARemedy() throws Exception {
        assumeRoot();
        Path image = Files.createDirectories(folder.resolve("image/a")).getParent();
        Path upper = Files.createDirectory(folder.resolve("upper"));
        Path work = Files.createDirectory(folder.resolve("work"));
        Path state = Files.createDirectory(folder.resolve("state"));
        String layers = "lowerdir=%s,upperdir=%s,workdir=%s".formatted(image, upper, work);
        run("mount", "-t", "overlay", "overlay", "-o", layers, state.toString());
        try {
            assertThatExceptionOfType(SetupException.class)
                    .isThrownBy(() ->
                            directories("DynamicUser=yes", "StateDirectory=a")
                                    .create(SOMEBODY, SOME_GROUP))
                    .withMessageContaining("cannot be moved")
                    .withMessageContaining("(EXDEV); the image of a container has it; copy it")
                    .withMessageContaining(
                            "cp -a -T %s/a %s/private/a && rm -r %s/a"
                                    .formatted(state, state, state));
        } finally {
            run("umount", state.toString());
        }
    }

    private static void run(String program, String... arguments) throws Exception {
        try (Child child = Spawn.of(program).arguments(List.of(arguments)).start()) {
            assumeThat(child.await().isSuccess()).as(program).isTrue();
        }
    }

    @Test
    void aProgramThatOthersCanReachAgainGivesThemNoPrivileges() throws Exception {
        assumeRoot();
        directories("DynamicUser=yes", "StateDirectory=a").create(SOMEBODY, SOME_GROUP);
        Path program = program(folder.resolve("state/private/a"));
        withoutMounts("DynamicUser=yes", "StateDirectory=a").create(SOMEBODY, SOME_GROUP);

        assertThat(program).doesNotExist();
        assertThat(ownerAndMode(folder.resolve("state/a/program"))).isEqualTo("54321:54322 755");
    }

    @Test
    void aPreservedRuntimeFolderOfADynamicUserIsRemovedAtTheEnd() throws Exception {
        assumeRoot();
        ExecDirectories directories =
                directories(
                        "DynamicUser=yes",
                        "RuntimeDirectory=r",
                        "RuntimeDirectoryPreserve=restart");
        directories.create(SOMEBODY, SOME_GROUP);
        directories.removeRuntime(true);
        assertThat(folder.resolve("run/r").toRealPath())
                .isEqualTo(folder.resolve("run/private/r").toRealPath());
        directories.removeRuntime(false);
        assertThat(Files.exists(folder.resolve("run/r"), LinkOption.NOFOLLOW_LINKS)).isFalse();
        assertThat(folder.resolve("run/private")).isEmptyDirectory();
    }
}
