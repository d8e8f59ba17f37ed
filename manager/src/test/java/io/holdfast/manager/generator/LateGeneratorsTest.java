package io.holdfast.manager.generator;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.Feature;
import io.holdfast.core.testkit.Await;
import io.holdfast.manager.unit.ManagerScope;
import io.holdfast.manager.unit.host.Host;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Generators that run longer than they may. */
@Timeout(120)
class LateGeneratorsTest {
    private static final Duration LIMIT = Duration.ofSeconds(6); // enough for one to end

    @TempDir private Path folder;
    private final List<String> problems = new ArrayList<>();
    private Generators generators;

    @BeforeEach
    void open() {
        generators =
                new Generators(
                        new GeneratorFolders(
                                List.of(folder.resolve("units")),
                                List.of(folder.resolve("environment")),
                                folder.resolve("systemd"),
                                Optional.empty()),
                        ManagerScope.system(Map.of()),
                        Host.read(),
                        LIMIT);
    }

    private void program(String name, String text) throws IOException {
        Path file = folder.resolve(name);
        Files.createDirectories(file.getParent());
        Files.writeString(file, "#!/bin/sh\n" + text);
        assertThat(file.toFile().setExecutable(true)).isTrue();
    }

    /** Returns whether a process has an argument. */
    private static boolean runs(String argument) {
        return ProcessHandle.allProcesses()
                .flatMap(process -> process.info().arguments().stream())
                .anyMatch(arguments -> List.of(arguments).contains(argument));
    }

    @Test
    void aKilledGeneratorLeavesNoDescendant() throws Exception {
        Assumptions.assumeTrue(Feature.SIGNAL_SCOPE.isPresent());
        program("descendant", "sleep 1000; true\n");
        program("units/one", folder + "/descendant & wait\n");
        generators.units(Map.of("PATH", "/usr/bin:/bin"), problems);
        assertThat(problems).singleElement().asString().contains("units/one: killed: ");
        Await.until(() -> !runs(folder + "/descendant"));
    }

    @Test
    void environmentGeneratorsShareTheirTime() throws Exception {
        program("environment/10", "echo FIRST=1\n");
        program("environment/20", "exec sleep 1000\n");
        program("environment/30", "echo LAST=1\n");
        assertThat(generators.environment(Map.of("PATH", "/usr/bin:/bin"), problems))
                .containsExactly(Map.entry("FIRST", "1"));
        assertThat(problems).hasSize(2);
        assertThat(problems.getFirst()).contains("environment/20: killed: ");
        assertThat(problems.getLast())
                .contains("environment/30: not run: ")
                .contains("io.holdfast.manager.generatorTimeout");
    }
}
