package io.holdfast.cli.service;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.cli.Invocation;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Enables, disables and masks units of an image. */
class InstallCommandTest {
    private static final String UNITS = "usr/lib/systemd/system";
    private static final String LINKS = "etc/systemd/system";

    @TempDir private Path root;

    @BeforeEach
    void layOut() throws IOException {
        unit("web.service", "[Install]\nWantedBy=multi-user.target\n");
        unit("helper.service", "");
        unit("multi-user.target", "");
    }

    private void unit(String name, String install) throws IOException {
        Path file = root.resolve(UNITS).resolve(name);
        Files.createDirectories(file.getParent());
        Files.writeString(file, "[Unit]\nDescription=x\n" + install);
    }

    private Invocation command(String verb, String... units) {
        String[] words = new String[units.length + 3];
        words[0] = verb;
        words[1] = "--root";
        words[2] = root.toString();
        System.arraycopy(units, 0, words, 3, units.length);
        return Invocation.of(words);
    }

    private Path link(String name) {
        return root.resolve(LINKS).resolve(name);
    }

    @Test
    void unitsAreEnabledAndDisabled() throws Exception {
        Invocation enabled = command("enable", "web");
        assertThat(enabled.code()).as(enabled.err()).isZero();
        Path link = link("multi-user.target.wants/web.service");
        assertThat(Files.readSymbolicLink(link)).isEqualTo(Path.of("/" + UNITS + "/web.service"));
        assertThat(enabled.out()).contains("made " + link + " -> /" + UNITS + "/web.service");
        assertThat(command("disable", "web").out()).contains("removed " + link);
        assertThat(Files.exists(link, LinkOption.NOFOLLOW_LINKS)).isFalse();
    }

    @Test
    void unitsAreMaskedAndUnmasked() throws Exception {
        assertThat(command("mask", "web").code()).isZero();
        assertThat(Files.readSymbolicLink(link("web.service"))).isEqualTo(Path.of("/dev/null"));
        Invocation refused = command("enable", "web");
        assertThat(refused.code()).isEqualTo(1);
        assertThat(refused.err()).contains("web.service is masked").hasLineCount(1);
        assertThat(command("unmask", "web").code()).isZero();
        assertThat(Files.exists(link("web.service"), LinkOption.NOFOLLOW_LINKS)).isFalse();
    }

    @Test
    void aUnitWithoutInstallSectionIsNamedInOneLine() {
        Invocation enabled = command("enable", "helper");
        assertThat(enabled.code()).isZero();
        assertThat(enabled.err())
                .contains("helper.service: nothing to enable: no [Install] section")
                .hasLineCount(1);
    }

    @Test
    void aTargetThatIsMissingIsNamedUnlessUpMakesIt() throws Exception {
        unit("ours.service", "[Install]\nWantedBy=holdfast.target\n");
        unit("theirs.service", "[Install]\nWantedBy=no.target\n");
        assertThat(command("enable", "ours").err()).isEmpty();
        assertThat(command("enable", "theirs").err())
                .contains("no.target: there is no such unit yet")
                .hasLineCount(1);
    }

    @Test
    void aMissingUnitIsNamedInOneLine() {
        Invocation enabled = command("enable", "nosuch");
        assertThat(enabled.code()).isEqualTo(1);
        assertThat(enabled.err()).contains("Unit nosuch.service does not exist").hasLineCount(1);
    }

    @Test
    void aLineWithoutUnitsIsRefused() {
        Invocation enabled = command("enable");
        assertThat(enabled.code()).isEqualTo(2);
        assertThat(enabled.err()).contains("missing required parameter: 'UNIT'").hasLineCount(1);
    }
}
