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
 * Our manager does what systemd does, according to the cases in which the manager is replaced by a
 * new process: executed anew, and killed. A class of its own, because it takes minutes: other cases
 * run beside it.
 */
@Timeout(300)
@Needs(
        root = true,
        cgroup2 = true,
        programs = {"systemctl", "unshare", "mount", "timeout", "awk", "python3"})
class RenewedManagerCasesTest {
    static List<UnitCase> cases() {
        return CaseFiles.all().stream().filter(UnitCase::renews).toList();
    }

    @ParameterizedTest(name = "{0}", allowZeroInvocations = true)
    @MethodSource("cases")
    void holds(UnitCase one, @TempDir Path folder) throws Exception {
        CaseFiles.assertHolds(one, polls -> KeptManager.transcript(one, folder, polls, false));
    }

    @ParameterizedTest(name = "{0}", allowZeroInvocations = true)
    @MethodSource("cases")
    void holdsWhenTheManagerIsKilled(UnitCase one, @TempDir Path folder) throws Exception {
        assertThat(KeptManager.transcript(one, folder, CaseFolder.POLLS, true))
                .as(one.toString())
                .isEqualTo(one.transcript());
    }
}
