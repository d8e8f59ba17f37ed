package io.holdfast.manager;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.manager.generator.GeneratorFolders;
import io.holdfast.manager.job.JobResult;
import io.holdfast.manager.unit.UnitName;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Programs that make unit files and variables when the manager reads its unit files. */
@Timeout(120)
class GeneratorsTest {
    @TempDir private Path folder;
    private Stage stage;

    @BeforeEach
    void open() throws Exception {
        Files.createDirectories(output("generator").getParent());
        stage =
                Stage.with(
                        folder,
                        options ->
                                options.withUnits(
                                        List.of(
                                                output("generator.early"),
                                                folder.resolve("units"),
                                                output("generator"),
                                                output("generator.late"))));
    }

    @AfterEach
    void close() throws Exception {
        stage.close();
        assertThat(folder.resolve("systemd")).doesNotExist();
    }

    private Path output(String name) {
        return folder.resolve("systemd").resolve(name);
    }

    private void program(String name, String text) throws IOException {
        Path file = folder.resolve(name);
        Files.createDirectories(file.getParent());
        Files.writeString(file, "#!/bin/sh\n" + text);
        assertThat(file.toFile().setExecutable(true)).isTrue();
    }

    private void generate() throws Exception {
        Stage.get(
                stage.manager()
                        .generate(
                                new GeneratorFolders(
                                        List.of(folder.resolve("own"), folder.resolve("vendor")),
                                        List.of(folder.resolve("environment")),
                                        folder.resolve("systemd"),
                                        Optional.of(folder.resolve("fstab")))));
    }

    @Test
    void whereSystemdsGeneratorForFstabIsMissingTheManagerMakesItsUnits() throws Exception {
        Files.writeString(folder.resolve("fstab"), "tmpfs /hf/none tmpfs noauto 0 1\n");
        generate();
        assertThat(stage.state("hf-none.mount")).isEqualTo("inactive/dead success");
        assertThat(stage.happenings().await("pass number 1")).contains("/hf/none");
        Files.writeString(folder.resolve("fstab"), "tmpfs /hf/other tmpfs noauto 0 0\n");
        var _ = Stage.get(stage.reloading());
        assertThat(output("generator/hf-none.mount")).doesNotExist();
        assertThat(output("generator/hf-other.mount")).exists();
        Files.createDirectories(folder.resolve("own"));
        Files.createSymbolicLink(
                folder.resolve("own/systemd-fstab-generator"), Path.of("/dev/null"));
        var _ = Stage.get(stage.reloading());
        assertThat(output("generator")).as("masked").doesNotExist();
    }

    private List<String> log() {
        return stage.happenings().lines();
    }

    @Test
    void itsUnitsHaveThePrecedenceOfTheirFolder() throws Exception {
        program(
                "vendor/one",
                """
                for unit in early own middle; do
                    printf '[Service]\\nExecStart=/bin/echo early\\n' >"$2/early.service"
                    printf '[Service]\\nExecStart=/bin/echo middle\\n' >"$1/$unit.service"
                    printf '[Service]\\nExecStart=/bin/echo late\\n' >"$3/$unit.service"
                done
                """);
        stage.service("early", "ExecStart=/bin/echo own");
        stage.service("own", "ExecStart=/bin/echo own");
        generate();
        for (String unit : List.of("early", "own", "middle")) {
            assertThat(stage.start(unit)).isEqualTo(JobResult.DONE);
            String _ = stage.happenings().awaitOutput(unit + ".service", unit);
        }
    }

    @Test
    void aReloadRunsThemAgainInEmptyFolders() throws Exception {
        program("vendor/one", "cp \"" + folder + "/made\"/* \"$1\"\n");
        Files.createDirectories(folder.resolve("made"));
        String text = "[Service]\nExecStart=/bin/sleep 1000\n";
        Files.writeString(folder.resolve("made/a.service"), text);
        generate();
        assertThat(stage.start("a")).isEqualTo(JobResult.DONE);
        Files.delete(folder.resolve("made/a.service"));
        Files.writeString(folder.resolve("made/b.service"), text);
        var _ = Stage.get(stage.reloading());
        assertThat(output("generator/a.service")).doesNotExist();
        assertThat(output("generator.late")).doesNotExist();
        assertThat(stage.start("b")).isEqualTo(JobResult.DONE);
        assertThat(stage.state("a")).isEqualTo("active/running success");
    }

    @Test
    void theyRunAtTheSameTime() throws Exception {
        Path there = stage.fifo("there");
        Path back = stage.fifo("back");
        program("vendor/one", "echo x >" + there + "; read line <" + back + "; : >$1/one\n");
        program("vendor/two", "read line <" + there + "; echo x >" + back + "; : >$1/two\n");
        generate();
        assertThat(output("generator")).isDirectoryContaining(file -> file.endsWith("one"));
        assertThat(output("generator")).isDirectoryContaining(file -> file.endsWith("two"));
    }

    @Test
    void oneHidesThatOfTheSameNameAndAMaskHidesAny() throws Exception {
        program("vendor/one", ": >$1/vendor\n");
        program("vendor/masked", ": >$1/masked\n");
        program("vendor/empty", ": >$1/empty\n");
        program("own/one", ": >$1/own\n");
        Files.createSymbolicLink(folder.resolve("own/masked"), Path.of("/dev/null"));
        Files.createFile(folder.resolve("own/empty"));
        generate();
        assertThat(output("generator").toFile().list()).containsExactly("own");
        Files.delete(folder.resolve("own/masked")); // no reason for a warning
    }

    @Test
    void aFailureIsALogLineAndStopsNothing() throws Exception {
        program("vendor/one", "echo 'no fstab' >&2; : >$1/one.service; exit 3\n");
        program("vendor/two", "echo is not shown; : >$1/two.service\n");
        Files.writeString(folder.resolve("vendor/three"), "not a program");
        assertThat(folder.resolve("vendor/three").toFile().setExecutable(true)).isTrue();
        generate();
        assertThat(output("generator").toFile().list())
                .containsExactlyInAnyOrder("one.service", "two.service");
        assertThat(log())
                .anyMatch(line -> line.endsWith("vendor/one: failed: exited with status 3"))
                .anyMatch(line -> line.endsWith("vendor/one: no fstab"))
                .anyMatch(line -> line.contains("vendor/three: "))
                .noneMatch(line -> line.contains("is not shown"));
        var _ = Stage.get(stage.reloading());
        assertThat(log()).filteredOn(line -> line.endsWith("vendor/one: no fstab")).hasSize(1);
    }

    @Test
    void theyLearnForWhichManagerAndMachineTheyRun() throws Exception {
        program("vendor/one", "env >$1/env\n");
        generate();
        assertThat(Files.readAllLines(output("generator/env")))
                .contains("SYSTEMD_SCOPE=system", "SYSTEMD_IN_INITRD=0")
                .anyMatch(line -> line.startsWith("SYSTEMD_ARCHITECTURE="))
                .anyMatch(line -> line.startsWith("PATH="));
    }

    @Test
    void variablesOfEnvironmentGeneratorsReachServicesAndLaterGenerators() throws Exception {
        program("environment/10", "echo '# comment'; echo 'FIRST=\"a b\"'\n");
        program("environment/20", "echo SECOND=$FIRST$SECOND\n");
        program("environment/30", "echo SECOND=failed; exit 1\n");
        program("vendor/one", "echo $SECOND >$1/second\n");
        stage.service("s", "ExecStart=/bin/sh -c 'echo $$FIRST-$$SECOND'");
        generate();
        assertThat(output("generator/second")).hasContent("a b");
        assertThat(stage.start("s")).isEqualTo(JobResult.DONE);
        String _ = stage.happenings().awaitOutput("s.service", "a b-a b");
        program("environment/10", "true\n");
        var _ = Stage.get(stage.reloading());
        assertThat(output("generator/second")).hasContent("\n");
        assertThat(stage.manager().view().environment()).doesNotContainKey("FIRST");
    }

    @Test
    void aLinkThatAGeneratorMakesPullsInItsUnit() throws Exception {
        program(
                "vendor/one",
                """
                printf '[Service]\\nExecStart=/bin/echo pulled\\n' >"$1/pulled.service"
                mkdir "$1/up.target.wants"
                ln -s ../pulled.service "$1/up.target.wants/pulled.service"
                """);
        stage.unit("up.target", "[Unit]\nDefaultDependencies=no\n");
        generate();
        assertThat(stage.start("up.target")).isEqualTo(JobResult.DONE);
        assertThat(Stage.get(stage.manager().outdated(Set.of(UnitName.of("pulled.service")))))
                .isEmpty();
        String _ = stage.happenings().awaitOutput("pulled.service", "pulled");
    }
}
