package io.holdfast.interop.authority;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.holdfast.cli.Holdfast;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.Exit;
import io.holdfast.core.process.Stdio;
import io.holdfast.core.testkit.Needs;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.FutureTask;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * {@code holdfast agent} on a terminal, for polkit's own authority: with polkit's setuid helper,
 * and with our helper behind a socket.
 */
@ParameterizedClass(name = "{0}")
@EnumSource
@Timeout(180)
@Needs(
        root = true,
        programs = {
            "pkcheck",
            "dbus-daemon",
            "dbus-send",
            "unshare",
            "nsenter",
            "setpriv",
            "openssl",
            "script",
            "systemd-socket-activate"
        })
class AgentWithPolkitTest {
    private static final String CTRL_C = "\u0003";
    private static final Pattern NEEDED =
            Pattern.compile(".*/(classes|holdfast-[^/]*|picocli[^/]*|jackson[^/]*|rhino[^/]*)");

    /** The helper that runs PAM. */
    enum Helper {
        POLKITS_PROGRAM,
        OUR_SOCKET
    }

    @Parameter Helper helper = Helper.OUR_SOCKET;
    @TempDir private Path folder;
    private PolkitStage stage;
    private Child subject;
    private Child agent;
    private final StringBuilder screen = new StringBuilder();

    @BeforeEach
    void start() throws Exception {
        assumeTrue(
                Files.isExecutable(Path.of("/usr/lib/polkit-1/polkitd")),
                "needs Debian's package polkitd");
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
        List<String> holdfast = holdfast();
        stage =
                PolkitStage.start(
                        folder,
                        helper == Helper.OUR_SOCKET ? with(holdfast, "agent-helper") : List.of());
        subject = stage.start(Stdio.pipe(), PolkitStage.asUser(List.of("cat")));
        List<String> command = new ArrayList<>(PolkitStage.asUser(holdfast));
        command.addAll(List.of("agent", "--process", "" + subject.pidFd().pid()));
        if (helper == Helper.OUR_SOCKET) { // with no fallback to the setuid program
            command.addAll(List.of("--helper-socket", "/run/holdfast/agent-helper.socket"));
        }
        Path script = folder.resolve("agent.sh");
        Files.writeString(script, "exec " + String.join(" ", command) + "\n");
        agent =
                stage.start(
                        Stdio.pipe(),
                        List.of("script", "-qec", "exec sh " + script, folder + "/typescript"));
    }

    @AfterEach
    void stop() throws Exception {
        if (stage != null) {
            stage.close();
        }
    }

    private static List<String> with(List<String> command, String... more) {
        return Stream.concat(command.stream(), Stream.of(more)).toList();
    }

    /** Returns the command from a copy that other users can read. */
    private List<String> holdfast() throws IOException {
        String path =
                System.getProperty(
                        "surefire.test.class.path", System.getProperty("java.class.path", ""));
        List<String> copies = new ArrayList<>();
        for (String entry : path.split(File.pathSeparator)) {
            Path from = Path.of(entry);
            if (NEEDED.matcher(entry).matches() && Files.exists(from)) {
                Path to = folder.resolve("lib" + copies.size() + "-" + from.getFileName());
                copy(from, to);
                copies.add(to.toString());
            }
        }
        return List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                String.join(File.pathSeparator, copies),
                Holdfast.class.getName());
    }

    private static void copy(Path from, Path to) throws IOException {
        try (Stream<Path> files = Files.walk(from)) {
            for (Path file : files.toList()) {
                Path copy = file.equals(from) ? to : to.resolve(from.relativize(file).toString());
                if (Files.isDirectory(file)) {
                    Files.createDirectories(copy);
                } else {
                    Files.copy(file, copy);
                }
            }
        }
    }

    /** Checks an authorization with polkitd, with a dialog, as soon as the agent is registered. */
    private FutureTask<Exit> check() {
        FutureTask<Exit> check =
                new FutureTask<>(() -> {
                    Exit exit;
                    do {
                        String process =
                                subject.pidFd().pid()
                                        + ","
                                        + subject.pidFd().proc().startTicks()
                                        + ","
                                        + PolkitStage.UID;
                        Child pkcheck =
                                stage.start(
                                        Stdio.devNull(),
                                        List.of(
                                                "pkcheck",
                                                "-u",
                                                "-a",
                                                PolkitStage.ACTION,
                                                "-p",
                                                process));
                        var _ = pkcheck.stdout().readAllBytes();
                        exit = pkcheck.await();
                    } while (exit.equals(new Exit.Exited(2))); // challenge: no agent there yet
                    return exit;
                });
        Thread.ofPlatform().daemon().start(check);
        return check;
    }

    /** Reads until a new occurrence of the text is on the screen. */
    private void awaitScreen(String text) throws IOException {
        InputStream in = agent.stdout();
        int from = screen.length();
        while (screen.indexOf(text, from) < 0) {
            int c = in.read();
            assertThat(c).as(() -> text + " in " + screen).isNotNegative();
            screen.append((char) c);
        }
    }

    private void type(String text) throws IOException {
        agent.stdin().write(text.getBytes(UTF_8));
        agent.stdin().flush();
    }

    @Test
    void aRightPasswordAfterAWrongOneAuthorizes() throws Exception {
        FutureTask<Exit> check = check();
        awaitScreen("Authentication is required for " + PolkitStage.ACTION);
        awaitScreen("Act in a test");
        awaitScreen("Authenticating as: " + PolkitStage.USER);
        awaitScreen("Password: ");
        type("no such pony\n");
        awaitScreen("try again");
        awaitScreen("Password: ");
        type(PolkitStage.PASSWORD + "\n");
        awaitScreen("Authenticated.");

        assertThat(check.get()).isEqualTo(new Exit.Exited(0));
        assertThat(screen).doesNotContain("pony", PolkitStage.PASSWORD);
        if (helper == Helper.OUR_SOCKET) {
            assertThat(stage.file("/run/helper.log"))
                    .containsPattern(
                            "authentication of hfalice failed, asked for by process \\d+:\\d+ of"
                                    + " user 40001.*: pam_authenticate: Authentication failure")
                    .doesNotContain("pony", PolkitStage.PASSWORD);
        }
    }

    @Test
    void ctrlCDismissesAndTheNextOneEndsTheAgent() throws Exception {
        FutureTask<Exit> check = check();
        awaitScreen("Password: ");
        type(CTRL_C);

        assertThat(check.get()).as("dismissed").isEqualTo(new Exit.Exited(3));
        type(CTRL_C);
        assertThat(agent.stdout().readAllBytes()).isNotNull();
        assertThat(agent.await()).isEqualTo(new Exit.Exited(0));
    }
}
