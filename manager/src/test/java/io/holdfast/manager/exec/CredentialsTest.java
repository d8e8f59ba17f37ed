package io.holdfast.manager.exec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.holdfast.core.Fd;
import io.holdfast.core.Feature;
import io.holdfast.core.file.folder.Directory;
import io.holdfast.core.file.folder.TreeRemoval;
import io.holdfast.core.process.Exit;
import io.holdfast.core.process.Namespace;
import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.socket.UnixListener;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.core.testkit.Needs;
import io.holdfast.manager.unit.ManagerScope;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Tests what the processes of a service read as credentials, and that nobody else does. */
@Timeout(120)
@Needs(root = true, features = Feature.MOUNT_TREES)
class CredentialsTest {
    private Path folder = Path.of("/");
    private ManagerScope scope = ManagerScope.system(Map.of());

    @BeforeEach
    void makeAFolder() throws Exception {
        folder = Files.createTempDirectory(Path.of("/var/lib"), "holdfast-test");
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
        scope = TestUnits.scopeIn(folder);
    }

    @AfterEach
    void nothingIsLeft() throws Exception {
        assertThat(Files.readString(Path.of("/proc/self/mountinfo")))
                .doesNotContain(folder.toString());
        assertThat(folder.resolve("run/credentials/test.service")).doesNotExist();
        try (Directory parent = Directory.open("/var/lib")) {
            TreeRemoval.remove(parent, folder.getFileName().toString());
        }
    }

    private OneRun prepared(String... lines) throws Exception {
        return OneRun.prepared(scope, folder, lines);
    }

    private String run(String... lines) throws Exception {
        try (OneRun run = prepared(lines)) {
            return run.main();
        }
    }

    private static String shell(String text) {
        return "ExecStart=/bin/sh -c '" + text + "'";
    }

    private void fails(String message, String... lines) {
        assertThatExceptionOfType(SetupException.class)
                .isThrownBy(() -> run(lines))
                .withMessageContaining(message)
                .matches(e -> SetupException.exitOf(e).equals(Optional.of(new Exit.Exited(243))));
    }

    // ---- the folder

    @Test
    void itsUserReadsThemAndNobodyElse() throws Exception {
        String text =
                run(
                        "User=nobody",
                        "SetCredential=a:one",
                        "SetCredential=b:two\\nlines\\x21",
                        "SetCredential=b:2\\n3",
                        shell(
                                "cd $CREDENTIALS_DIRECTORY && stat -c \"%%a %%U %%n\" . a b; cat a b;"
                                        + " ! touch c; ! chmod 700 .; echo x; stat -f -c %%T ."));
        assertThat(text)
                .startsWith("500 nobody .\n400 nobody a\n400 nobody b\none2\n3")
                .contains("Read-only file system")
                .endsWith("x\nramfs");
        String other =
                run(
                        "SetCredential=a:secret",
                        "User=nobody",
                        "ExecStart=+/usr/bin/setpriv --reuid 12345 --clear-groups /bin/sh -c"
                                + " 'ls $CREDENTIALS_DIRECTORY || cat $CREDENTIALS_DIRECTORY/a;"
                                + " true'");
        assertThat(other).contains("Permission denied").doesNotContain("secret");
    }

    @Test
    void theirPathIsKnownToTheUnitFile() throws Exception {
        assertThat(run("SetCredential=a:one", "ExecStart=/bin/cat %d/a")).isEqualTo("one");
        assertThat(run(shell("echo \"[$CREDENTIALS_DIRECTORY]\""))).isEqualTo("[]");
    }

    @Test
    void aContentMayHaveAllBytes() throws Exception {
        assertThat(
                        run(
                                "SetCredential=a:\\x00\\xff\\000:%%n\\\\",
                                shell("od -An -tx1 $CREDENTIALS_DIRECTORY/a")))
                .isEqualTo("00 ff 00 3a 25 25 6e 5c");
    }

    @Test
    void theyAreGoneAfterTheRunEvenForAProcessThatWaits() throws Exception {
        Path path;
        try (OneRun run = prepared("SetCredential=a:one", shell("cat %d/a"))) {
            path = folder.resolve("run/credentials/test.service/a");
            assertThat(path).hasContent("one");
            assertThat(run.main()).isEqualTo("one");
        }
        assertThat(path).doesNotExist();
        assertThat(path.getParent()).doesNotExist();
    }

    @Test
    void aLaterManagerFindsThemAndRemovesThem() throws Exception {
        String[] lines = {"SetCredential=a:one", shell("cat $CREDENTIALS_DIRECTORY/a")};
        OneRun first = prepared(lines);
        try (OneRun second =
                new OneRun(
                        scope, folder, SandboxSupport.find(SandboxSupport.Mode.AS_FOUND), lines)) {
            second.execution().takeUp(0, List.of());
            assertThat(second.main()).isEqualTo("one");
        }
        assertThat(folder.resolve("run/credentials/test.service")).doesNotExist();
        first.close();
    }

    @Test
    void aNextRunReplacesWhatAKilledManagerHasLeft() throws Exception {
        OneRun first = prepared("SetCredential=old:one");
        try (OneRun second = prepared("SetCredential=a:two", shell("ls $CREDENTIALS_DIRECTORY"))) {
            assertThat(second.main()).isEqualTo("a");
        }
        first.close();
    }

    @Test
    void aSandboxShowsTheOwnOnesOnly() throws Exception {
        Path other = Files.createDirectories(folder.resolve("run/credentials/other.service"));
        Files.writeString(other.resolve("x"), "hidden");
        String all = folder + "/run/credentials";
        assertThat(
                        run(
                                "ProtectSystem=strict",
                                "SetCredential=a:one",
                                shell("ls " + all + "; cat $CREDENTIALS_DIRECTORY/a")))
                .isEqualTo("test.service\none");
        assertThat(run("ProtectSystem=strict", shell("ls -A " + all + " | wc -l"))).isEqualTo("0");
        assertThat(
                        run(
                                "TemporaryFileSystem=" + folder + "/run",
                                "SetCredential=a:one",
                                shell("cat $CREDENTIALS_DIRECTORY/a")))
                .isEqualTo("one");
        assertThat(run("PrivateMounts=yes", "SetCredential=a:one", shell("ls " + all)))
                .isEqualTo("test.service");
        Files.delete(other.resolve("x"));
    }

    @Test
    void aDynamicUserReadsThem() throws Exception {
        assertThat(
                        run(
                                "DynamicUser=yes",
                                "SetCredential=a:one",
                                shell("cat $CREDENTIALS_DIRECTORY/a; ! touch %d/x")))
                .startsWith("one")
                .contains("Read-only");
    }

    @Test
    void withoutMountsTheyAreInAPlainFolderAndThatIsSaid() throws Exception {
        Map<Namespace.Kind, String> lacking = new EnumMap<>(Namespace.Kind.class);
        lacking.put(Namespace.Kind.MNT, "mounts are refused");
        SandboxSupport support =
                new SandboxSupport(SandboxSupport.Mode.AS_FOUND, lacking, Set.of());
        try (OneRun run =
                new OneRun(
                        scope,
                        folder,
                        support,
                        "User=nobody",
                        "SetCredential=a:one",
                        shell("cd %d; stat -c \"%%a %%U\" . a; cat a; chmod 700 .; mkdir x"))) {
            run.execution().prepare();
            assertThat(run.main()).isEqualTo("500 nobody\n400 nobody\none");
            assertThat(run.warnings())
                    .anyMatch(line ->
                            line.startsWith("SetCredential=: its credentials are files in ")
                                    && line.endsWith("mounts are refused"));
        }
    }

    // ---- sources

    @Test
    void filesAndFoldersAreLoaded() throws Exception {
        Path file = Files.writeString(folder.resolve("file"), "content");
        Path tree = folder.resolve("tree");
        Path below = Files.createDirectories(tree.resolve("sub"));
        Files.writeString(below.resolve("deep"), "2");
        Files.writeString(tree.resolve("flat"), "1");
        Files.createSymbolicLink(below.resolve("link"), Path.of("/etc/shadow"));
        assertThat(
                        run(
                                "LoadCredential=f:" + file,
                                "LoadCredential=t:" + tree,
                                "SetCredential=f:not this",
                                "SetCredential=g:" + "default",
                                "LoadCredential=g:" + folder + "/missing",
                                shell("cd %d; for f in *; do echo $f $(cat $f); done")))
                .isEqualTo("f content\ng default\nt_flat 1\nt_sub_deep 2");
    }

    @Test
    void aMissingFileAndAFifoFailTheStart() throws Exception {
        Path fifo = folder.resolve("fifo");
        try (Directory in = Directory.open(folder.toString())) {
            assertThat(in.makeFifo("fifo", 0600)).isTrue();
        }
        fails("credential a: " + folder + "/none: ", "LoadCredential=a:" + folder + "/none");
        fails("is a FIFO", "LoadCredential=a:" + fifo);
        fails("is a FIFO", "LoadCredential=a:" + fifo, "SetCredential=a:x");
    }

    @Test
    void aLinkThatAnotherUserHasMadeIsNotFollowedForThem() throws Exception {
        Path own = Files.createDirectory(folder.resolve("own"));
        Path link = Files.createSymbolicLink(own.resolve("link"), Path.of("/etc/shadow"));
        Files.setAttribute(own, "unix:uid", 65534);
        Files.setAttribute(link, "unix:uid", 65534, java.nio.file.LinkOption.NOFOLLOW_LINKS);
        fails("credential a: ", "User=nobody", "LoadCredential=a:" + link);
    }

    @Test
    void theirSizeIsBounded() throws Exception {
        Path big = Files.write(folder.resolve("big"), new byte[(1 << 20) + 1]);
        fails("has more than 1048576 bytes", "LoadCredential=a:" + big);

        Path half = Files.write(folder.resolve("half"), new byte[600 << 10]);
        fails(
                "at most 1048576 bytes together",
                "LoadCredential=a:" + half,
                "LoadCredential=b:" + half);
    }

    @Test
    void aServiceBehindASocketIsAskedByName() throws Exception {
        Path path = folder.resolve("socket");
        try (UnixListener listener =
                UnixListener.listen(UnixAddress.path(path), SocketType.STREAM, 8)) {
            CompletableFuture<String> asked = new CompletableFuture<>();
            Thread server =
                    Thread.ofVirtual()
                            .start(() -> {
                                try (UnixSocket peer = listener.accept()) {
                                    asked.complete(peer.remoteAddress().toString());
                                    peer.sendFully(
                                            ByteBuffer.wrap(
                                                    "answer".getBytes(StandardCharsets.UTF_8)));
                                } catch (InterruptedException e) {
                                    asked.completeExceptionally(e);
                                }
                            });
            assertThat(run("LoadCredential=a:" + path, shell("cat %d/a"))).isEqualTo("answer");
            server.join();
            assertThat(asked.join()).matches("@[0-9a-f]{16}/unit/test\\.service/a");
        }
    }

    @Test
    void aSocketWithoutAServiceFailsTheStart() throws Exception {
        Path path = folder.resolve("socket");
        UnixListener listener = UnixListener.listen(UnixAddress.path(path), SocketType.STREAM, 8);
        try (Directory in = Directory.open(folder.toString());
                Fd _ = in.hold("socket")) {
            Files.createLink(folder.resolve("dead"), path);
            listener.close();
        }
        fails("credential a: ", "LoadCredential=a:" + folder + "/dead");
    }

    @Test
    void aContentIsNotInMessages() {
        List<String> shown =
                TestUnits.service(scope, "SetCredential=a:\\qsecret", "SetCredential=b:hidden")
                        .diagnostics()
                        .stream()
                        .map(Object::toString)
                        .toList();
        assertThat(shown).anyMatch(line -> line.contains("begins no escape"));
        assertThat(shown.toString()).doesNotContain("secret");
        assertThat(TestUnits.service(scope, "SetCredential=b:hidden").exec().toString())
                .doesNotContain("hidden");
    }
}
