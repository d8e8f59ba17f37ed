package io.holdfast.interop.manager;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.holdfast.core.testkit.Needs;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Checks the transcripts of the cases against the real systemd. With {@code
 * -Dholdfast.cases.record=true} its output is written into the files of the cases instead, so that
 * a new case needs no transcript.
 */
@Timeout(300)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@EnabledIfSystemProperty(named = "holdfast.long", matches = "true")
@Needs(
        root = true,
        cgroup2 = true,
        programs = {"systemctl", "unshare", "nsenter", "mount", "timeout", "awk", "python3"})
class SystemdCasesTest {
    private static final boolean RECORD = Boolean.getBoolean("holdfast.cases.record");

    private static final String VERSION = "257";

    private @Nullable SystemdContainer container;

    @BeforeAll
    void boot(@TempDir Path folder) throws Exception {
        assumeTrue(
                Shell.run(List.of("systemctl", "--version")).startsWith("systemd " + VERSION + " "),
                "needs systemd " + VERSION + ", which wrote the transcripts of the cases");
        container = SystemdContainer.boot(folder);
    }

    @AfterAll
    void end() throws Exception {
        if (container != null) {
            container.close();
        }
    }

    static List<UnitCase> cases() {
        return CaseFiles.all();
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("cases")
    void holds(UnitCase one) throws Exception {
        String transcript = Objects.requireNonNull(container).transcript(one);
        if (RECORD) {
            CaseFiles.record(one, transcript);
        } else {
            assertThat(transcript).as(one.toString()).isEqualTo(one.transcript());
        }
    }
}
