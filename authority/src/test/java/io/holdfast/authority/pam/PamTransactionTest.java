package io.holdfast.authority.pam;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.junit.jupiter.api.Assumptions.abort;

import io.holdfast.core.testkit.OpenDescriptors;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Tests the real libpam, with PAM stacks of the test. */
@Timeout(60)
class PamTransactionTest {
    private static final String USER = "root";

    @TempDir Path folder;

    @BeforeEach
    void needLibrary() {
        try {
            var _ = Libpam.load();
        } catch (PamUnavailableException e) {
            abort(e.toString());
        }
    }

    /** A conversation that answers from a list, and records prompts and messages. */
    static final class Script implements Conversation {
        final List<String> heard = new ArrayList<>();
        private final List<String> answers;

        Script(String... answers) {
            this.answers = new ArrayList<>(List.of(answers));
        }

        @Override
        public void prompt(byte[] text, boolean echo, ByteBuffer answer) throws IOException {
            heard.add((echo ? "on " : "off ") + new String(text, UTF_8));
            if (answers.isEmpty()) {
                throw new IOException("nobody answers");
            }
            answer.put(answers.removeFirst().getBytes(UTF_8));
        }

        @Override
        public void showMessage(byte[] text, boolean isError) {
            heard.add((isError ? "error " : "info ") + new String(text, UTF_8));
        }
    }

    private PamService service(String stack) throws IOException {
        Files.writeString(folder.resolve("test"), stack);
        return new PamService("test", Optional.of(folder));
    }

    /** Makes a stack line for a module that prompts for a password, and accepts this one. */
    private String password(String right) throws IOException {
        Path check = folder.resolve("check.sh");
        Files.writeString(check, "#!/bin/sh\ntest \"$(tr -d '\\0')\" = '" + right + "'\n");
        Files.setPosixFilePermissions(check, PosixFilePermissions.fromString("rwxr-xr-x"));
        return "auth [success=1 default=ignore] pam_exec.so quiet expose_authtok "
                + check
                + "\nauth requisite pam_deny.so\nauth required pam_permit.so\n";
    }

    @Test
    void theStackDecides() throws Exception {
        Script nobody = new Script();
        try (PamTransaction pam =
                PamTransaction.start(
                        service("auth required pam_permit.so\naccount required pam_permit.so\n"),
                        USER,
                        nobody)) {
            pam.authenticate();
            pam.validateAccount();
            assertThat(pam.user()).isEqualTo(USER);
        }
        assertThat(nobody.heard).isEmpty();

        try (PamTransaction pam =
                PamTransaction.start(service("auth required pam_deny.so\n"), USER, nobody)) {
            assertThatExceptionOfType(PamException.class)
                    .isThrownBy(pam::authenticate)
                    .withMessageStartingWith("pam_authenticate: ")
                    .matches(PamException::isRefusal)
                    .matches(e -> e.code() == 7);
        }
    }

    @Test
    void anAnswerReachesTheModule() throws Exception {
        PamService service = service(password("right horse"));
        Script right = new Script("right horse");
        try (PamTransaction pam = PamTransaction.start(service, USER, right)) {
            pam.authenticate();
        }
        assertThat(right.heard).containsExactly("off Password: ");

        try (PamTransaction pam = PamTransaction.start(service, USER, new Script("wrong"))) {
            assertThatExceptionOfType(PamException.class)
                    .isThrownBy(pam::authenticate)
                    .matches(PamException::isRefusal);
        }
    }

    @Test
    void anAnswerMayBeEmptyOrAsLongAsPamTakes() throws Exception {
        for (String answer : List.of("", "x".repeat(Conversation.MAX_ANSWER))) {
            PamService service = service(password(answer));
            try (PamTransaction pam = PamTransaction.start(service, USER, new Script(answer))) {
                pam.authenticate();
            }
        }
    }

    @Test
    void whatModulesTellIsHeard() throws Exception {
        Path text = folder.resolve("text");
        Files.writeString(text, "Be warned: 100%s\n");
        Script nobody = new Script();
        try (PamTransaction pam =
                PamTransaction.start(
                        service(
                                "auth optional pam_echo.so file="
                                        + text
                                        + "\nauth required pam_permit.so\n"),
                        USER,
                        nobody)) {
            pam.authenticate();
        }
        assertThat(nobody.heard).hasSize(1);
        assertThat(nobody.heard.getFirst()).startsWith("info Be warned: 100");
    }

    @Test
    void whatTheConversationThrowsComesOutAndTheVmLives() throws Exception {
        PamService service = service(password("x"));
        Conversation failing =
                new Conversation() {
                    @Override
                    public void prompt(byte[] text, boolean echo, ByteBuffer answer) {
                        answer.put("secret".getBytes(UTF_8));
                        throw new IllegalArgumentException("a fault");
                    }

                    @Override
                    public void showMessage(byte[] text, boolean isError) {}
                };
        try (PamTransaction pam = PamTransaction.start(service, USER, new Script())) {
            assertThatExceptionOfType(IOException.class)
                    .isThrownBy(pam::authenticate)
                    .withMessage("nobody answers");
        }
        try (PamTransaction pam = PamTransaction.start(service, USER, failing)) {
            assertThatExceptionOfType(IllegalArgumentException.class)
                    .isThrownBy(pam::authenticate)
                    .withMessage("a fault");
        }
    }

    /** The module ignores the failure; its success must not count. */
    @Test
    void successAfterAFailedConversationIsNone() throws Exception {
        PamService service =
                service(
                        """
                        auth optional pam_exec.so quiet expose_authtok /bin/true
                        auth required pam_permit.so
                        """);
        try (PamTransaction pam = PamTransaction.start(service, USER, new Script())) {
            assertThatExceptionOfType(IOException.class)
                    .isThrownBy(pam::authenticate)
                    .withMessage("nobody answers");
        }
    }

    @Test
    void modulesAreToldWhoAsks() throws Exception {
        Path seen = folder.resolve("seen");
        Path script = folder.resolve("script.sh");
        Files.writeString(script, "#!/bin/sh\necho \"$PAM_RUSER for $PAM_USER\" > " + seen + "\n");
        Files.setPosixFilePermissions(script, PosixFilePermissions.fromString("rwxr-xr-x"));
        try (PamTransaction pam =
                PamTransaction.start(
                        service("auth required pam_exec.so " + script + "\n"),
                        USER,
                        new Script())) {
            pam.remoteUser("somebody");
            pam.authenticate();
        }
        assertThat(seen).hasContent("somebody for root");
    }

    @Test
    void aServiceThatIsNotThereIsNotReplacedByAnother() throws Exception {
        Files.writeString(folder.resolve("other"), "auth required pam_permit.so\n");

        assertThatExceptionOfType(PamUnavailableException.class)
                .isThrownBy(() ->
                        PamTransaction.start(
                                new PamService("absent", Optional.of(folder)), USER, new Script()))
                .withMessageContaining("PAM has no service absent in " + folder);
        assertThatExceptionOfType(PamUnavailableException.class)
                .isThrownBy(() ->
                        PamTransaction.start(
                                new PamService("polkit-1", Optional.of(folder)),
                                USER,
                                new Script()))
                .withMessageContaining("Debian's package polkitd");
    }

    @Test
    void aMissingLibraryIsNamedWithItsPackage() {
        assertThatExceptionOfType(PamUnavailableException.class)
                .isThrownBy(() -> Libpam.load("libholdfast-nothing.so.0"))
                .withMessage(
                        "there is no libholdfast-nothing.so.0: install PAM (Debian's package"
                                + " libpam0g)");
        assertThatExceptionOfType(PamUnavailableException.class)
                .isThrownBy(() -> Libpam.load("libc.so.6"))
                .withMessageContaining("has no pam_start");
    }

    @Test
    void onePlatformThreadHasItAll() throws Exception {
        PamService service = service("auth required pam_permit.so\n");
        FutureTask<PamTransaction> virtual =
                new FutureTask<>(() -> PamTransaction.start(service, USER, new Script()));
        Thread.startVirtualThread(virtual);
        assertThatExceptionOfType(ExecutionException.class)
                .isThrownBy(virtual::get)
                .withCauseInstanceOf(IllegalStateException.class);

        try (PamTransaction pam = PamTransaction.start(service, USER, new Script())) {
            FutureTask<String> other = new FutureTask<>(pam::user);
            Thread.ofPlatform().start(other);
            assertThatExceptionOfType(ExecutionException.class)
                    .isThrownBy(other::get)
                    .withCauseInstanceOf(IllegalStateException.class);
        }
    }

    @Test
    void afterItsEndItIsNoMore() throws Exception {
        PamTransaction pam =
                PamTransaction.start(service("auth required pam_permit.so\n"), USER, new Script());
        pam.close();
        pam.close();
        assertThatIllegalStateException().isThrownBy(pam::authenticate);
    }

    @Test
    void aHundredLeaveNothingOpen() throws Exception {
        PamService service = service("auth required pam_permit.so\n");
        OpenDescriptors before = OpenDescriptors.now();
        for (int i = 0; i < 100; i++) {
            try (PamTransaction pam = PamTransaction.start(service, USER, new Script())) {
                pam.authenticate();
            }
        }
        before.awaitSameNumber();
    }
}
