package io.holdfast.manager.credential;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.holdfast.core.process.PidFd;
import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.Needs;
import io.holdfast.manager.unit.ManagerScope;
import io.holdfast.manager.unit.value.ExecCommand;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Tests what becomes of encrypted credentials. */
@Timeout(120)
class CredentialDecryptionTest {
    private static final Duration LONG = Duration.ofSeconds(60);

    @TempDir private Path folder = Path.of("/");

    private CredentialDecryption decryption(List<String> search) {
        ManagerScope scope =
                ManagerScope.system(Map.of())
                        .withVariables(
                                Map.of("SYSTEMD_CREDENTIAL_SECRET", folder.resolve("key") + ""));
        return new CredentialDecryption(scope, search);
    }

    private byte[] encrypted(String name, String content) throws Exception {
        ProcessBuilder builder =
                new ProcessBuilder("systemd-creds", "encrypt", "--with-key=host")
                        .redirectError(ProcessBuilder.Redirect.DISCARD);
        builder.command().addAll(List.of("--name=" + name, "-", "-"));
        builder.environment().put("SYSTEMD_CREDENTIAL_SECRET", folder.resolve("key").toString());
        Process process = builder.start();
        process.getOutputStream().write(content.getBytes(UTF_8));
        process.getOutputStream().close();
        byte[] text = process.getInputStream().readAllBytes();
        assertThat(process.waitFor()).isZero();
        return text;
    }

    @Test
    @Needs(root = true, programs = "systemd-creds")
    void oneIsDecryptedForTheNameThatItWasEncryptedFor() throws Exception {
        byte[] text = encrypted("a", "secret");
        CredentialDecryption decryption = decryption(ExecCommand.SEARCH_PATH);
        assertThat(decryption.decrypt("a", text, LONG)).asString(UTF_8).isEqualTo("secret");
        assertThatExceptionOfType(CredentialException.class)
                .isThrownBy(() -> decryption.decrypt("b", text, LONG))
                .withMessageStartingWith("credential b: cannot be decrypted: ")
                .withMessageContaining("name");
        text[text.length / 2] ^= 1;
        assertThatExceptionOfType(CredentialException.class)
                .isThrownBy(() -> decryption.decrypt("a", text, LONG))
                .withMessageStartingWith("credential a: cannot be decrypted: ");
    }

    @Test
    void withoutTheProgramItsPackageIsNamed() {
        assertThatExceptionOfType(CredentialException.class)
                .isThrownBy(() -> decryption(List.of(folder + "")).decrypt("a", new byte[0], LONG))
                .withMessageContaining("systemd-creds decrypts it and is not in " + folder)
                .withMessageContaining("apt install systemd");
    }

    @Test
    void aProgramIsKilledIfNobodyWaitsForItAnyMore() throws Exception {
        Path number = folder.resolve("number");
        Path program =
                Files.writeString(
                        folder.resolve("systemd-creds"),
                        "#!/bin/sh\necho $$ > "
                                + number
                                + ".new; mv "
                                + number
                                + ".new "
                                + number
                                + "; exec sleep 1000\n");
        assertThat(program.toFile().setExecutable(true)).isTrue();
        Thread waiting =
                Thread.ofPlatform()
                        .start(() ->
                                assertThatExceptionOfType(InterruptedException.class)
                                        .isThrownBy(() ->
                                                decryption(List.of(folder + ""))
                                                        .decrypt("a", new byte[0], LONG)));
        Await.until(() -> Files.exists(number));
        try (PidFd left = PidFd.open(Integer.parseInt(Files.readString(number).strip()))) {
            waiting.interrupt();
            waiting.join();
            assertThat(left.isAlive()).isFalse();
        }
    }

    @Test
    void aProgramThatDoesNotEndIsKilled() throws IOException {
        Path program =
                Files.writeString(folder.resolve("systemd-creds"), "#!/bin/sh\nexec sleep 1000\n");
        assertThat(program.toFile().setExecutable(true)).isTrue();
        assertThatExceptionOfType(CredentialException.class)
                .isThrownBy(() ->
                        decryption(List.of(folder + ""))
                                .decrypt("a", new byte[0], Duration.ofMillis(50)))
                .withMessageContaining("did not end in time");
    }
}
