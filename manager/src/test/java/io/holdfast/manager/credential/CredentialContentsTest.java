package io.holdfast.manager.credential;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.file.folder.HeldPath;
import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.socket.UnixListener;
import io.holdfast.manager.unit.ManagerScope;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.settings.CredentialSettings;
import io.holdfast.manager.unit.settings.CredentialSettings.Content;
import io.holdfast.manager.unit.settings.CredentialSettings.Import;
import io.holdfast.manager.unit.settings.CredentialSettings.Source;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class CredentialContentsTest {
    @TempDir private Path folder = Path.of("/");
    private Path first = Path.of("/");
    private Path second = Path.of("/");

    @BeforeEach
    void makeStores() throws IOException {
        first = Files.createDirectory(folder.resolve("first"));
        second = Files.createDirectory(folder.resolve("second"));
    }

    private Map<String, String> collect(CredentialSettings settings) throws Exception {
        CredentialStores stores =
                new CredentialStores(List.of(first, folder.resolve("missing"), second), List.of());
        CredentialDecryption decryption =
                new CredentialDecryption(ManagerScope.system(Map.of()), List.of());
        Map<String, String> found = new TreeMap<>();
        new CredentialContents(UnitName.of("a.service"), stores, decryption)
                .collect(settings)
                .forEach((name, content) -> found.put(name, new String(content, UTF_8)));
        return found;
    }

    private static CredentialSettings imports(Import... rules) {
        return new CredentialSettings(Map.of(), List.of(rules), Map.of());
    }

    @Test
    void theFirstStoreThatHasANameCounts() throws Exception {
        Files.writeString(first.resolve("a"), "1");
        Files.writeString(second.resolve("a"), "2");
        Files.writeString(second.resolve("b"), "2");
        CredentialSettings settings =
                new CredentialSettings(
                        Map.of("x", new Source("a", false), "y", new Source("b", false)),
                        List.of(),
                        Map.of());
        assertThat(collect(settings)).isEqualTo(Map.of("x", "1", "y", "2"));
        assertThat(collect(imports(new Import("*", "")))).isEqualTo(Map.of("a", "1", "b", "2"));
    }

    @Test
    void aNameThatNoStoreHasIsLeftOut() throws Exception {
        CredentialSettings settings =
                new CredentialSettings(
                        Map.of("x", new Source("x", false)),
                        List.of(new Import("y", ""), new Import("z*", "")),
                        Map.of());
        assertThat(collect(settings)).isEmpty();
    }

    @Test
    void importedOnesAreRenamedAndYieldToLoadedOnes() throws Exception {
        Files.writeString(first.resolve("db.key"), "imported");
        Files.writeString(first.resolve("db.name"), "imported");
        Files.createDirectory(first.resolve("db.folder"));
        Path file = Files.writeString(folder.resolve("file"), "loaded");
        CredentialSettings settings =
                new CredentialSettings(
                        Map.of("web.key", new Source(file.toString(), false)),
                        List.of(new Import("db.*", "web.")),
                        Map.of(
                                "web.name",
                                new Content("given", false),
                                "c",
                                new Content("given", false)));
        assertThat(collect(settings))
                .isEqualTo(Map.of("web.key", "loaded", "web.name", "imported", "c", "given"));
    }

    @Test
    void aStoreCannotLeadElsewhereByAFifo() throws Exception {
        Process made = new ProcessBuilder("mkfifo", first.resolve("a").toString()).start();
        assertThat(made.waitFor()).isZero();
        assertThatExceptionOfType(CredentialException.class)
                .isThrownBy(() -> collect(imports(new Import("*", ""))))
                .withMessageContaining("is a FIFO");
    }

    @Test
    void aServiceThatDoesNotAnswerIsGivenUp() throws Exception {
        Path path = folder.resolve("socket");
        try (UnixListener _ = UnixListener.listen(UnixAddress.path(path), SocketType.STREAM, 8);
                HeldPath held = HeldPath.open(path.toString())) {
            assertThatExceptionOfType(ErrnoException.class)
                    .isThrownBy(() ->
                            CredentialSocket.read(
                                    held.fd(),
                                    path.toString(),
                                    "a.service",
                                    "a",
                                    100,
                                    Duration.ofMillis(50)))
                    .withMessageContaining("the service does not answer")
                    .withMessageContaining("io.holdfast.manager.credentialTimeout");
        }
    }
}
