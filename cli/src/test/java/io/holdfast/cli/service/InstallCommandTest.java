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

    @Test
    void statesAreToldAndListed() throws Exception {
        unit("static.socket", "");
        assertThat(command("is-enabled", "web").out()).isEqualTo("disabled\n");
        assertThat(command("is-enabled", "web").code()).isEqualTo(1);
        assertThat(command("is-enabled", "helper").code()).isZero();
        assertThat(command("is-enabled", "nosuch"))
                .satisfies(asked -> assertThat(asked.code()).isEqualTo(4))
                .satisfies(asked -> assertThat(asked.out()).isEqualTo("not-found\n"));
        assertThat(command("enable", "web").code()).isZero();
        assertThat(command("is-enabled", "helper", "web").out()).isEqualTo("static\nenabled\n");
        assertThat(command("list-unit-files", "*.service").out().lines())
                .map(line -> line.replaceAll(" +", " "))
                .containsExactly("helper.service static -", "web.service enabled enabled");
    }

    @Test
    void presetsDecideForOneUnitOrForAll() throws Exception {
        Path presets = root.resolve("usr/lib/systemd/system-preset/1.preset");
        Files.createDirectories(presets.getParent());
        Files.writeString(presets, "disable web.service\n");
        assertThat(command("enable", "web").code()).isZero();
        assertThat(command("preset", "web").out()).contains("removed ");
        Files.writeString(presets, "enable web.service\n");
        assertThat(command("preset", "--all").out()).contains("made ");
        assertThat(command("preset").code()).isEqualTo(2);
        assertThat(command("reenable", "web").out()).contains("removed ").contains("made ");
    }

    @Test
    void aFileElsewhereIsLinked() throws Exception {
        Path file = root.resolve("opt/far.service");
        Files.createDirectories(file.getParent());
        Files.writeString(file, "[Service]\nExecStart=/bin/true\n");
        assertThat(command("link", "/opt/far.service").code()).isZero();
        assertThat(Files.readSymbolicLink(link("far.service")))
                .isEqualTo(Path.of("/opt/far.service"));
        assertThat(command("is-enabled", "far").out()).isEqualTo("linked\n");
    }

    @Test
    void theDefaultTargetIsChosen() throws Exception {
        assertThat(command("get-default").err()).contains("default.target: there is no such unit");
        assertThat(command("set-default", "multi-user.target").code()).isZero();
        assertThat(command("get-default").out()).isEqualTo("multi-user.target\n");
        assertThat(command("set-default", "web").err()).contains("cannot be the default target");
    }

    @Test
    void theFilesOfAUnitArePrintedAndReverted() throws Exception {
        Path dropIn = link("web.service.d/own.conf");
        Files.createDirectories(dropIn.getParent());
        Files.writeString(dropIn, "[Unit]\nDescription=y\n");
        assertThat(command("cat", "web").out())
                .isEqualTo(
                        "# %s\n[Unit]\nDescription=x\n[Install]\nWantedBy=multi-user.target\n\n# %s\n[Unit]\nDescription=y\n"
                                .formatted(root.resolve(UNITS).resolve("web.service"), dropIn));
        assertThat(command("cat", "nosuch").err())
                .contains("nosuch.service: there is no such unit")
                .hasLineCount(1);
        assertThat(command("revert", "web").out()).contains("removed " + dropIn.getParent());
        assertThat(dropIn.getParent()).doesNotExist();
    }
}
