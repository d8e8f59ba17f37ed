package io.holdfast.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.linux.Feature;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What the front page promises is so. */
@Timeout(120)
class ReadmeTest {
    private static final String IMPORTS =
            "import io.holdfast.core.linux.*;\nimport io.holdfast.core.process.*;\n";

    @TempDir private Path temp;

    @Test
    void theExampleCompilesAndRuns() throws Exception {
        String readme = readme();
        int from = readme.indexOf("```java\n") + 8;
        Path source = temp.resolve("Example.java");
        Files.writeString(source, IMPORTS + readme.substring(from, readme.indexOf("```", from)));
        Program example =
                Program.run(
                        new ProcessBuilder(
                                ProcessHandle.current().info().command().orElseThrow(),
                                "--enable-native-access=ALL-UNNAMED",
                                "-cp",
                                System.getProperty("java.class.path"),
                                source.toString()));

        assertThat(example.err()).isEmpty();
        assertThat(example.out())
                .startsWith("ProcessInfo[pid=")
                .endsWith("a\nb\nexited with status 0\nfalse\n");
        assertThat(example.code()).isZero();
    }

    @Test
    void everyCommandItNamesIsThere() throws IOException {
        assertThat(readme()).contains("./holdfast up redis-server.service", "./test");
        for (String name : Commands.names()) {
            assertThat(readme()).contains(name);
        }
    }

    @Test
    void everyKernelThatBringsAFeatureIsInItsTable() throws IOException {
        String table = readme().substring(readme().indexOf("## What works on which kernel"));
        for (Feature feature : Feature.values()) {
            if (feature != Feature.PIDFD_OPEN) { // 5.3, where children could not be waited for
                assertThat(table)
                        .contains(
                                feature.since()
                                        .split(" and ")[0]
                                        .replaceFirst("^(Linux|glibc) ", ""));
            }
        }
    }

    private static String readme() throws IOException {
        return Files.readString(Path.of("..", "README.md"));
    }
}
