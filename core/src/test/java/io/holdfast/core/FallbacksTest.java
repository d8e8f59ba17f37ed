package io.holdfast.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import io.holdfast.core.testkit.ChildJvm;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.junit.platform.engine.discovery.ClassNameFilter;
import org.junit.platform.engine.discovery.DiscoverySelectors;
import org.junit.platform.launcher.LauncherDiscoveryRequest;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;
import org.junit.platform.launcher.listeners.SummaryGeneratingListener;

/**
 * The tests of processes, cgroups and sockets once more, in a JVM where features of newer kernels
 * and libcs are hidden: each fallback does the same, or is refused as documented. A test that needs
 * what is hidden is skipped there, and one of its absence is not.
 */
@Timeout(120)
class FallbacksTest {
    /** Without these there is nothing to test. */
    private static final List<Feature> INDISPENSABLE =
            List.of(
                    Feature.PIDFD_OPEN,
                    Feature.WAIT_PIDFD,
                    Feature.PIDFD_GETFD,
                    Feature.SPAWN_CLOSEFROM);

    private static final String ALL =
            Arrays.stream(Feature.values())
                    .filter(feature -> !INDISPENSABLE.contains(feature))
                    .map(Feature::name)
                    .collect(Collectors.joining(","));

    /** The other JVM: runs the tests of the classes whose names match the first argument. */
    static final class Suite {
        private Suite() {}

        public static void main(String[] arguments) {
            LauncherDiscoveryRequest request =
                    LauncherDiscoveryRequestBuilder.request()
                            .selectors(
                                    DiscoverySelectors.selectPackage("io.holdfast.core.process"),
                                    DiscoverySelectors.selectPackage("io.holdfast.core.run"),
                                    DiscoverySelectors.selectPackage("io.holdfast.core.scope"),
                                    DiscoverySelectors.selectPackage("io.holdfast.core.socket"))
                            .filters(ClassNameFilter.includeClassNamePatterns(arguments[0]))
                            .build();
            SummaryGeneratingListener listener = new SummaryGeneratingListener();
            LauncherFactory.create().execute(request, listener);
            listener.getSummary()
                    .printFailuresTo(new PrintWriter(System.out, true, StandardCharsets.UTF_8), 12);
            System.out.println(
                    "succeeded "
                            + listener.getSummary().getTestsSucceededCount()
                            + ", failed "
                            + listener.getSummary().getTotalFailureCount());
            System.exit(listener.getSummary().getTotalFailureCount() == 0 ? 0 : 1);
        }
    }

    private static void runWithout(String features, String classes, int atLeast) {
        assumeFalse(
                Boolean.getBoolean("holdfast.slow"),
                "an emulated machine is slow, and its own kernel lacks what it lacks");
        ChildJvm.Result result =
                ChildJvm.run(
                        List.of("-Dio.holdfast.without=" + features, "-XX:-UsePerfData"),
                        Suite.class,
                        classes);
        assertThat(result.status()).as(result.output()).isZero();
        String count = result.output().replaceAll("(?s).*succeeded (\\d+), failed 0.*", "$1");
        assertThat(Integer.parseInt(count)).isGreaterThan(atLeast);
    }

    @Test
    void withoutAnyOfThem() {
        runWithout(
                ALL,
                ".*\\.(PidFd\\w+|Seccomp|Spawn\\w*|Child|TracedChild|Cgroup|CgroupNames|Peer|Sender|DescriptorPassing)Test",
                120);
    }

    @ParameterizedTest
    @ValueSource(strings = {"PIDFS", "PIDFD_INFO", "EXIT_INFO"})
    void withoutOneOfThemForIdentity(String feature) {
        runWithout(feature, ".*\\.PidFd\\w+Test", 35);
    }

    @Test
    void runsWithoutAnyOfThem() {
        runWithout(ALL, ".*\\.Run(Limit)?Test", 30);
    }

    @Test
    void scopesByBothMeansWithoutAnyOther() {
        String others = ALL.replace("," + Feature.SCOPE_CGROUP.name(), "");
        runWithout(others, ".*\\.(ProcessScope|ScopeAdoption)Test", 30);
    }

    @ParameterizedTest
    @ValueSource(strings = {"CGROUP_KILL,PIDFD_SPAWN", "CLONE_INTO_CGROUP"})
    void withoutSomeOfThemForStarting(String features) {
        runWithout(features, ".*\\.(Cgroup|Spawn|SpawnHeld|SpawnErrors)Test", 40);
    }
}
