package io.holdfast.core.scope;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.junit.jupiter.api.Assumptions.assumeFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.process.Cgroup;
import io.holdfast.core.process.CgroupPath;
import io.holdfast.core.testkit.Needs;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Limits of a scope: set where the kernel has the controllers, otherwise refused by name. */
@Timeout(60)
class ScopeLimitsTest {
    private static final ScopeOptions OPTIONS = ScopeOptions.standard().withName("limits");

    private static boolean hasController(String controller) {
        try (Cgroup root = Cgroup.root()) {
            return List.of(root.read("cgroup.controllers").split(" ")).contains(controller);
        }
    }

    @Test
    @Needs(cgroup2 = true, root = true)
    void aMissingControllerIsNamedAndNoScopeOpened() {
        assumeFalse(hasController("memory"));
        assertThatExceptionOfType(ErrnoException.class)
                .isThrownBy(() -> ProcessScope.open(OPTIONS.withMemoryMax(1 << 30)))
                .withMessageContaining("memory.max=1073741824")
                .withMessageContaining("the controller memory is not enabled")
                .withMessageContaining("Delegate=yes")
                .matches(e -> e.errno() == Errno.EACCES);
        try (Cgroup own = Cgroup.own()) {
            assertThat(own.childNames()).noneMatch(name -> name.contains("limits"));
        }
    }

    @Test
    @Needs(cgroup2 = true, root = true)
    void limitsAreSetBeforeTheFirstProcess() {
        assumeTrue(hasController("memory") && hasController("pids") && hasController("cpu"));
        ScopeOptions limited = OPTIONS.withMemoryMax(1 << 30).withPidsMax(50).withCpuWeight(20);
        try (ProcessScope scope = ProcessScope.open(limited)) {
            Cgroup cgroup = scope.cgroup().orElseThrow();
            assertThat(cgroup.read("memory.max")).isEqualTo("1073741824");
            assertThat(cgroup.read("pids.max")).isEqualTo("50");
            assertThat(cgroup.read("cpu.weight")).isEqualTo("20");
        }
    }

    @Test
    @Needs(cgroup2 = true, root = true)
    void aLimitOfAnyControllerIsSetOnTheCgroup() throws Exception {
        assumeTrue(hasController("hugetlb"));
        try (Cgroup root = Cgroup.root()) {
            String enabled = root.read("cgroup.subtree_control");
            ScopeName name = ScopeName.random("limits", false);
            try (Cgroup made = ScopeCgroups.make(name, Map.of("hugetlb.2MB.max", "4M"))) {
                assertThat(made.read("hugetlb.2MB.max")).isEqualTo("4194304");
                made.remove();
            } finally {
                if (!enabled.contains("hugetlb")) {
                    root.write("cgroup.subtree_control", "-hugetlb");
                }
            }
        }
    }

    @Test
    @Needs(cgroup2 = true, root = true)
    void aScopeHasItsCgroupOrNone() {
        try (ProcessScope scope = ProcessScope.open(OPTIONS, Guarantee.CGROUP)) {
            assertThat(scope.cgroup().map(Cgroup::isPopulated)).contains(false);
        }
        try (ProcessScope scope = ProcessScope.open(OPTIONS, Guarantee.SUBREAPER)) {
            assertThat(scope.cgroup()).isEqualTo(Optional.empty());
        }
    }

    @Test
    void aLimitedScopeStaysInItsUnit() {
        assertThat(ScopeCgroups.placesOfUnit(new CgroupPath("/system.slice/a.service/main")))
                .containsExactly(
                        new CgroupPath("/system.slice/a.service/main"),
                        new CgroupPath("/system.slice/a.service"));
        String user = "/user.slice/user-1000.slice/user@1000.service/app.slice";
        assertThat(ScopeCgroups.placesOfUnit(new CgroupPath(user + "/b.scope/x")))
                .containsExactly(
                        new CgroupPath(user + "/b.scope/x"), new CgroupPath(user + "/b.scope"));
        assertThat(ScopeCgroups.placesOfUnit(new CgroupPath("/a/b"))).hasSize(3);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, -1, 10_001, Integer.MIN_VALUE})
    void aValueOutOfRangeIsRefused(int value) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> OPTIONS.withCpuWeight(value))
                .withMessage("cpu.weight=" + value + " is not from 1 to 10000");
        if (value < 1) {
            assertThatIllegalArgumentException().isThrownBy(() -> OPTIONS.withMemoryMax(value));
            assertThatIllegalArgumentException().isThrownBy(() -> OPTIONS.withPidsMax(value));
        }
    }
}
