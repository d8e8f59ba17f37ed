package io.holdfast.manager.exec;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.nio.file.attribute.PosixFilePermissions.fromString;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.holdfast.core.Feature;
import io.holdfast.core.Signal;
import io.holdfast.core.file.folder.Directory;
import io.holdfast.core.file.folder.TreeRemoval;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.Exit;
import io.holdfast.core.process.Namespace;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.socket.UnixListener;
import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.Needs;
import io.holdfast.manager.HostilePath;
import io.holdfast.manager.credential.UnitCredentials;
import io.holdfast.manager.unit.ManagerScope;
import io.holdfast.manager.unit.value.ExecCommand;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Tests services that use what root does for them to reach what their user cannot, and other users
 * who look into a service.
 */
@Timeout(120)
@Needs(
        root = true,
        features = Feature.MOUNT_TREES,
        programs = {"setpriv", "nsenter"})
class HostileServiceTest {
    private static final String USER = "User=nobody";

    private Path folder = Path.of("/");
    private ManagerScope scope = ManagerScope.system(Map.of());
    private Path home = folder;
    private Path open = folder; // to all, but below a folder of root

    @BeforeEach
    void makeFolders() throws Exception {
        folder = Files.createTempDirectory(Path.of("/var/lib"), "holdfast-test");
        Files.setPosixFilePermissions(folder, fromString("rwxr-xr-x"));
        scope = TestUnits.scopeIn(folder);
        home = Files.createDirectory(folder.resolve("home"));
        HostilePath.give(home, HostilePath.USER);
        Path closed = Files.createDirectory(folder.resolve("closed"));
        Files.setPosixFilePermissions(closed, fromString("rwx------"));
        open = Files.createDirectory(closed.resolve("open"));
        Files.setPosixFilePermissions(open, fromString("rwxrwxrwx"));
        Path secret = Files.writeString(open.resolve("secret"), "secret");
        Files.setPosixFilePermissions(secret, fromString("rw-rw-rw-"));
    }

    @AfterEach
    void removeTheFolder() throws Exception {
        try (Directory parent = Directory.open("/var/lib")) {
            TreeRemoval.remove(parent, folder.getFileName().toString());
        }
    }

    private String run(String... lines) throws Exception {
        try (OneRun run = OneRun.prepared(scope, folder, lines)) {
            return run.main();
        }
    }

    private static String shell(String text) {
        return "ExecStart=/bin/sh -c '" + text + "'";
    }

    private Path link(Path target) throws IOException {
        Path link = Files.createSymbolicLink(home.resolve("link"), target);
        HostilePath.give(link, HostilePath.USER);
        return link;
    }

    // ---- links

    @ParameterizedTest
    @ValueSource(strings = {"", "SystemCallFilter=~mount", "PrivateTmp=yes", "PrivatePIDs=yes"})
    void aLinkOfItsUserDoesNotLeadItsWorkingDirectoryPastAFolderThatTheUserCannotEnter(
            String confined) throws Exception {
        Path link = link(open);
        String[] lines = {
            USER, confined, "WorkingDirectory=" + link, shell("cat secret || true; pwd")
        };
        try (OneRun run = OneRun.prepared(scope, folder, lines)) {
            assertThatExceptionOfType(AssertionError.class) // it enters the directory as its user
                    .isThrownBy(run::main)
                    .withMessageContaining("200");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "SystemCallFilter=~mount", "PrivateTmp=yes", "PrivatePIDs=yes"})
    void anOptionalWorkingDirectoryThatTheUserCannotEnterLeavesItInTheRoot(String confined)
            throws Exception {
        Path link = link(open);
        assertThat(run(USER, confined, "WorkingDirectory=-" + link, shell("pwd"))).isEqualTo("/");
    }

    @Test
    void aWorkingDirectoryCanBeOneThatOnlyItsViewShows() throws Exception {
        Path shown = folder.resolve("shown");
        Files.createDirectory(shown);
        Files.setPosixFilePermissions(shown, fromString("rwxr-xr-x"));
        String bind = "BindPaths=" + shown + ":/srv/here";
        String view = "TemporaryFileSystem=/srv";
        for (String user : List.of(USER, "")) {
            assertThat(run(user, view, bind, "WorkingDirectory=/srv/here", shell("pwd")))
                    .isEqualTo("/srv/here");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "SystemCallFilter=~mount", "PrivateTmp=yes", "PrivatePIDs=yes"})
    void aLinkOfItsUserToADirectoryOfTheUserIsFollowed(String confined) throws Exception {
        Path own = Files.createDirectory(home.resolve("own"));
        HostilePath.give(own, HostilePath.USER);
        assertThat(run(USER, confined, "WorkingDirectory=" + link(own), shell("pwd -P")))
                .isEqualTo(own.toString());
    }

    @Test
    void aLinkOfItsUserDoesNotConnectItToASocketThatTheUserCannotReach() throws Exception {
        Path path = open.resolve("socket");
        try (UnixListener _ = UnixListener.listen(UnixAddress.path(path), SocketType.STREAM, 1)) {
            Files.setPosixFilePermissions(path, fromString("rwxrwxrwx"));
            String throughLink = "OpenFile=" + link(open) + "/socket";
            assertThatExceptionOfType(SetupException.class)
                    .isThrownBy(() -> run(USER, throughLink))
                    .withMessageContaining("symbolic link");
            assertThat(run(USER, "OpenFile=" + path, shell("test -S /dev/fd/3 && echo yes")))
                    .isEqualTo("yes");
        }
    }

    // ---- what it fills

    @Test
    void aTmpfsThatItFillsIsFullForItselfOnly() throws Exception {
        String fill = "dd if=/dev/zero of=@/x bs=64k 2>/dev/null || echo full; stat -c %%s @/x";
        assertThat(
                        run(
                                USER,
                                "TemporaryFileSystem=/srv:mode=1777,size=1M",
                                shell(fill.replace("@", "/srv"))))
                .isEqualTo("full\n1048576");
        assertThat(Path.of("/srv/x")).doesNotExist();
        assertThat(
                        run(
                                USER,
                                "TemporaryFileSystem=/srv:mode=1777,nr_inodes=10",
                                shell(
                                        "for i in $(seq 20); do touch /srv/$i 2>/dev/null; done; ls /srv | wc -l")))
                .isEqualTo("9"); // one is the folder itself
    }

    // ---- other users

    private static String asOther(String... command) throws Exception {
        ProcessBuilder builder = new ProcessBuilder("setpriv", "--reuid=games", "--regid=games");
        builder.command().add("--clear-groups");
        builder.command().addAll(List.of(command));
        Process process = builder.redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), UTF_8);
        return process.waitFor() + " " + output;
    }

    @Test
    void anotherUserNeitherEntersItsMountsNorReadsItsCredentials() throws Exception {
        String[] lines = {USER, "PrivateTmp=yes", "SetCredential=a:hidden"};
        try (OneRun run = OneRun.prepared(scope, folder, lines)) {
            ExecCommand command =
                    TestUnits.service(
                                    scope,
                                    shell(
                                            "cat $CREDENTIALS_DIRECTORY/a >/tmp/y; mv /tmp/y /tmp/x; exec sleep 1000"))
                            .service()
                            .commands()
                            .start()
                            .getFirst();
            try (Child child = run.execution().start(command, Map.of(), PassedDescriptors.NONE)) {
                Path root = Path.of("/proc/" + child.pidFd().pid() + "/root");
                Await.until(() -> Files.exists(root.resolve("tmp/x")) && hasOwnMounts(child));
                Path own = UnitCredentials.parent(scope).resolve("test.service/a");
                for (Path path :
                        List.of(
                                root.resolve("tmp/x"),
                                own,
                                root.resolve(own.toString().substring(1)))) {
                    assertThat(Files.readString(path)).as("as root").isEqualTo("hidden");
                    assertThat(asOther("cat", path.toString()))
                            .contains("Permission denied")
                            .doesNotContain("hidden");
                }
                assertThat(
                                asOther(
                                        "nsenter",
                                        "--mount",
                                        "--target",
                                        Integer.toString(child.pidFd().pid()),
                                        "cat",
                                        "/tmp/x"))
                        .doesNotStartWith("0 ")
                        .doesNotContain("hidden");
                assertThat(child.signal(Signal.KILL)).isTrue();
                Exit _ = child.await();
            }
        }
    }

    private static boolean hasOwnMounts(Child child) {
        try (PidFd self = PidFd.self();
                Namespace ours = self.namespace(Namespace.Kind.MNT);
                Namespace its = child.pidFd().namespace(Namespace.Kind.MNT)) {
            return !its.equals(ours);
        }
    }
}
