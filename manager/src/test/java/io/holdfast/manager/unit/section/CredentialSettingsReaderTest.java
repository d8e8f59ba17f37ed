package io.holdfast.manager.unit.section;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.manager.unit.Diagnostic;
import io.holdfast.manager.unit.Tree;
import io.holdfast.manager.unit.settings.CredentialSettings;
import io.holdfast.manager.unit.settings.CredentialSettings.Import;
import io.holdfast.manager.unit.settings.CredentialSettings.Source;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class CredentialSettingsReaderTest {
    private static ServiceUnit unit(String... lines) {
        return Tree.service(
                "a.service", "[Service]\nExecStart=/bin/true\n" + String.join("\n", lines) + "\n");
    }

    private static CredentialSettings read(String... lines) {
        ServiceUnit unit = unit(lines);
        assertThat(unit.diagnostics()).isEmpty();
        return unit.exec().credentials();
    }

    @Test
    void sourcesAreReadWithTheirSpecifiers() {
        CredentialSettings settings =
                read(
                        "LoadCredential=a:/x/%n",
                        "LoadCredential=%p.key",
                        "LoadCredentialEncrypted=c:other",
                        "LoadCredential=a:/y//z/");
        assertThat(settings.loaded())
                .containsEntry("a", new Source("/y/z", false))
                .containsEntry("a.key", new Source("a.key", false))
                .containsEntry("c", new Source("other", true));
        assertThat(settings.directives())
                .containsExactly("LoadCredential", "LoadCredentialEncrypted");
        assertThat(read("LoadCredential=a:/x", "LoadCredential=").isEmpty()).isTrue();
    }

    @Test
    void patternsRenameWhatTheyImport() {
        CredentialSettings settings =
                read("ImportCredential=db.*:web.", "ImportCredential=x:y", "ImportCredential=*");
        assertThat(settings.imported())
                .containsExactly(
                        new Import("db.*", "web."), new Import("x", "y"), new Import("*", ""));
        assertThat(settings.imported().getFirst().nameOf("db.key")).isEqualTo("web.key");
        assertThat(settings.imported().get(1).nameOf("x")).isEqualTo("y");
        assertThat(settings.imported().getLast().matches("any")).isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "LoadCredential=a/b:/x",
                "LoadCredential=..:/x",
                "LoadCredential=a:x/y",
                "LoadCredential=a:/x/../y",
                "LoadCredential=:/x",
                "LoadCredential=%z:/x",
                "ImportCredential=a*b",
                "ImportCredential=a?",
                "ImportCredential=a:b/c",
                "SetCredential=a",
                "SetCredential=a:\\q",
                "SetCredentialEncrypted=a:!",
                "SetCredential=\u00e4:x",
            })
    void whatSystemdRefusesIsIgnoredAndSaid(String line) {
        ServiceUnit unit = unit(line);
        assertThat(unit.exec().credentials().isEmpty()).isTrue();
        List<Diagnostic> found = unit.diagnostics();
        assertThat(found)
                .singleElement()
                .satisfies(each -> {
                    assertThat(each.place().toString()).endsWith(":3");
                    assertThat(each.message())
                            .startsWith(line.substring(0, line.indexOf('=')) + "=: ");
                });
    }
}
