package io.holdfast.cli.service;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.cli.Invocation;
import io.holdfast.cli.Program;
import io.holdfast.core.testkit.Needs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class VerifyTest {
    @TempDir private Path folder;

    private Path write(String name, String text) throws IOException {
        return Files.writeString(folder.resolve(name), text);
    }

    @Test
    void aUnitThatWorksIsGood() throws Exception {
        Path file = write("a.service", "[Service]\nExecStart=/bin/true\n");
        Invocation ran = Invocation.of("verify", file.toString());
        assertThat(ran.out()).isEqualTo("a.service: good\n");
        assertThat(ran.code()).isZero();
    }

    @Test
    void mistakesAreToldWithTheirLinesAndFail() throws Exception {
        Path file =
                write(
                        "a.service",
                        "[Service]\nExecStart=/no/such\nRestrat=no\nRestrictFileSystems=ext4\n");
        Invocation ran = Invocation.of("verify", file.toString());
        assertThat(ran.out())
                .isEqualTo(
                        """
                        FILE:3: error: unknown directive "Restrat" in [Service], did you mean Restart=?; ignored
                        FILE:4: security: RestrictFileSystems= is not supported: file systems of every type are accessible
                        FILE:2: error: /no/such: there is no such file
                        a.service: 2 errors; 1 directive is not applied, 1 of them security
                        """
                                .replace("FILE", file.toString()));
        assertThat(ran.code()).isEqualTo(1);
    }

    @Test
    void whatIsNotSupportedFailsOnlyWhereThatIsAskedFor() throws Exception {
        write("a.service", "[Service]\nExecStart=/bin/true\nCPUAffinity=0\n");
        String units = folder.toString();
        assertThat(Invocation.of("verify", "--units", units, "a").code()).isZero();
        assertThat(Invocation.of("verify", "--units", units, "--strict", "a").code()).isEqualTo(1);
    }

    @Test
    @Needs(root = true, cgroup2 = true, programs = "setpriv")
    void directivesWhoseProgramsAreRefusedHereAreTold() throws Exception {
        Path file =
                write(
                        "a.service",
                        "[Service]\nExecStart=/bin/true\nDeviceAllow=/dev/null\nIPAddressDeny=any\n");
        List<String> words =
                new ArrayList<>(List.of("setpriv", "--bounding-set=-bpf,-net_admin,-sys_admin"));
        words.addAll(Program.command(List.of(), "verify", file.toString()));
        Program ran = Program.run(new ProcessBuilder(words));
        assertThat(ran.out())
                .contains(
                        file
                                + ":3: security: DeviceAllow= is not applied: BPF programs are refused",
                        file
                                + ":4: security: IPAddressDeny= is not applied: BPF programs are refused");
        assertThat(ran.code()).isZero();
    }

    @Test
    void jsonHasEachLine() throws Exception {
        Path file =
                write("a.service", "[Service]\nExecStart=/bin/true\nRestrictFileSystems=ext4\n");
        assertThat(Invocation.of("verify", "--json", file.toString()).out())
                .isEqualTo(
                        ("{\"unit\":\"a.service\",\"fragment\":\"FILE\",\"good\":true,\"diagnostics\":[{"
                                        + "\"file\":\"FILE\",\"line\":3,\"kind\":\"not-applied\","
                                        + "\"severity\":\"warning\",\"security\":true,"
                                        + "\"message\":\"RestrictFileSystems= is not supported\","
                                        + "\"cost\":\"file systems of every type are accessible\"}]}\n")
                                .replace("FILE", file.toString()));
    }

    @Test
    void sarifHasAResultForEachLine() throws Exception {
        Path file = write("a.service", "[Service]\nExecStart=/no/such\nCPUAffinity=0\n");
        Invocation ran = Invocation.of("verify", "--format", "sarif", file.toString(), "no-such");
        assertThat(ran.code()).isEqualTo(1);
        String uri = file.toUri().toString();
        assertThat(ran.out().lines())
                .singleElement()
                .asString()
                .startsWith("{\"$schema\":\"https://")
                .contains("\"version\":\"2.1.0\",\"runs\":[{\"tool\":{\"driver\":{\"name\":")
                .contains(
                        "{\"ruleId\":\"not-applied\",\"level\":\"note\",\"message\":{\"text\":"
                                + "\"a.service: CPUAffinity= is not supported\"},\"locations\":["
                                + "{\"physicalLocation\":{\"artifactLocation\":{\"uri\":\""
                                + uri
                                + "\"},\"region\":{\"startLine\":3}}}]}")
                .contains(
                        "{\"ruleId\":\"missing\",\"level\":\"error\",\"message\":{\"text\":"
                                + "\"no-such.service: there is no such unit\"},\"locations\":[]}");
        Invocation wrong = Invocation.of("verify", "--format", "xml", "a");
        assertThat(wrong.code()).isEqualTo(2);
        assertThat(wrong.err()).contains("text, json or sarif, not xml");
    }

    @Test
    void theUnitsOfAnImageAreVerifiedWithItsPrograms() throws Exception {
        Path units = Files.createDirectories(folder.resolve("etc/systemd/system"));
        Files.writeString(units.resolve("a.service"), "[Service]\nExecStart=/bin/true\n");
        Invocation ran = Invocation.of("verify", "--root", folder.toString(), "a");
        assertThat(ran.out()).contains("a.service:2: error: /bin/true: there is no such file");
        assertThat(Invocation.of("verify", "--root", folder + "/none", "a").err())
                .contains("none: no such folder");
    }

    @Test
    void whatIsNoUnitIsRefused() throws Exception {
        Path note = write("note.txt", "x");
        assertThat(Invocation.of("verify", note.toString()).err())
                .contains("not the name of a unit: " + note);
        assertThat(Invocation.of("verify", folder + "/none.service").err())
                .contains("none.service: no such file");
        assertThat(Invocation.of("verify").code()).isEqualTo(2);
        Invocation none = Invocation.of("verify", "holdfast-none.service");
        assertThat(none.out()).contains("error: there is no such unit");
        assertThat(none.code()).isEqualTo(1);
    }

    @Test
    void thePageOfDirectivesIsWhatTheManagerDoes() throws Exception {
        Path page = Path.of("..", "DIRECTIVES.md");
        assertThat(Invocation.of("verify", "--directives").out())
                .as("run: ./holdfast verify --directives > DIRECTIVES.md")
                .isEqualTo(Files.readString(page));
    }
}
