package io.holdfast.interop.manager;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.testkit.SameOnEveryKernel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What the pages say about systemd's own tests is what {@link SystemdSuiteTest} does. */
@SameOnEveryKernel
class SuiteScriptTest {
    private static final String JOURNAL = "TEST-04-JOURNAL.";

    @Test
    void thePageAboutLogsHasARowForEachScriptOfTheJournal() throws Exception {
        List<String> rows =
                SuiteScript.all().values().stream()
                        .filter(script -> script.name().startsWith(JOURNAL))
                        .map(script -> script.row(JOURNAL))
                        .toList();
        assertThat(Files.readString(Path.of("../docs/logs.md")))
                .contains("| script | here |\n|---|---|\n" + String.join("\n", rows) + "\n");
    }
}
