package io.holdfast.interop.manager;

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
        return CaseFiles.all().stream().filter(one -> !one.renews()).toList();
    }

    @ParameterizedTest(name = "{0}", allowZeroInvocations = true)
    @MethodSource("cases")
    void holds(UnitCase one, @TempDir Path folder) throws Exception {
        CaseFiles.assertHolds(one, polls -> HoldfastManager.transcript(one, folder, polls));
    }
}
