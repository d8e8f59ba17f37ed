package io.holdfast.interop.manager;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.testkit.Needs;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Our manager does what systemd does, according to the cases. Where it is known to differ it must
 * still differ: a line of {@code differences.txt} that is no longer true must be deleted.
 */
@Timeout(300)
@Needs(
        root = true,
        cgroup2 = true,
        programs = {"systemctl", "unshare", "mount", "timeout", "awk", "python3"})
class HoldfastCasesTest {
    static List<UnitCase> cases() {
        return CaseFiles.all();
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("cases")
    void holds(UnitCase one, @TempDir Path folder) throws Exception {
        String difference = CaseFiles.differences().get(one.title());
        int polls = difference == null ? CaseFolder.POLLS : CaseFolder.FEW_POLLS;
        String transcript =
                one.renews()
                        ? KeptManager.transcript(one, folder, polls, false)
                        : HoldfastManager.transcript(one, folder, polls);
        if (difference == null) {
            assertThat(transcript).as(one.toString()).isEqualTo(one.transcript());
        } else {
            assertThat(transcript)
                    .as("%s: differences.txt says: %s", one, difference)
                    .isNotEqualTo(one.transcript());
        }
    }

    static List<UnitCase> renewals() {
        return cases().stream().filter(UnitCase::renews).toList();
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("renewals")
    void holdsWhenTheManagerIsKilled(UnitCase one, @TempDir Path folder) throws Exception {
        assertThat(KeptManager.transcript(one, folder, CaseFolder.POLLS, true))
                .as(one.toString())
                .isEqualTo(one.transcript());
    }
}
