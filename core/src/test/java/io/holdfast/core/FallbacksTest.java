package io.holdfast.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import io.holdfast.core.testkit.ChildJvm;
import io.holdfast.core.testkit.Needs;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;
import org.junit.platform.engine.discovery.ClassNameFilter;
import org.junit.platform.engine.discovery.DiscoverySelectors;
import org.junit.platform.launcher.LauncherDiscoveryRequest;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;
import org.junit.platform.launcher.listeners.SummaryGeneratingListener;

/**
 * Repeats the tests of processes, cgroups and sockets in a JVM where features of newer kernels and
 * libcs are hidden: each fallback has the same result, or is refused as documented. Tests that need
 * a hidden feature are skipped there, and tests of its absence run.
 */
@Timeout(900)
class FallbacksTest {
    /** Features that the tests themselves need. */
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

    /** Runs in another JVM: the tests of the classes whose names match the first argument. */
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

    /** One run in another JVM. */
    record Run(String without, String classes, int atLeast) {
        ChildJvm.Result result() {
            return ChildJvm.run(
                    List.of("-Dio.holdfast.without=" + without, "-XX:-UsePerfData"),
                    Suite.class,
                    classes);
        }
    }

    private static final Run WITHOUT_ANY =
            new Run(
                    ALL,
                    ".*\\.(PidFd\\w+|Seccomp|Spawn\\w*|Child|TracedChild|Cgroup|CgroupNames|Peer|Sender|DescriptorPassing|Run|RunLimit)Test",
                    150);

    private static final List<Run> IDENTITY =
            Stream.of("PIDFS", "PIDFD_INFO", "EXIT_INFO")
                    .map(feature -> new Run(feature, ".*\\.PidFd\\w+Test", 35))
                    .toList();

    private static final Run SCOPES =
            new Run(
                    ALL.replace("," + Feature.SCOPE_CGROUP.name(), ""),
                    ".*\\.(ProcessScope|ScopeAdoption)Test",
                    30);

    private static final List<Run> STARTING =
            Stream.of("CGROUP_KILL,PIDFD_SPAWN", "CLONE_INTO_CGROUP")
                    .map(features ->
                            new Run(features, ".*\\.(Cgroup|Spawn|SpawnHeld|SpawnErrors)Test", 40))
                    .toList();

    private static final ExecutorService AT_ONCE = Executors.newFixedThreadPool(2);
    private static final Map<Run, Future<ChildJvm.Result>> RESULTS = new HashMap<>();

    /** Runs two at a time, since they mostly wait. */
    @BeforeAll
    static void start() {
        assumeFalse(
                Boolean.getBoolean("holdfast.slow"),
                "an emulated machine is slow, and its own kernel lacks what it lacks");
        start(WITHOUT_ANY);
        STARTING.forEach(FallbacksTest::start);
        IDENTITY.forEach(FallbacksTest::start);
        start(SCOPES);
    }

    private static void start(Run run) {
        RESULTS.put(run, AT_ONCE.submit(run::result));
    }

    @AfterAll
    static void end() {
        AT_ONCE.shutdownNow();
        RESULTS.clear();
    }

    private static void assertPasses(Run run) throws Exception {
        ChildJvm.Result result = Objects.requireNonNull(RESULTS.get(run)).get();
        assertThat(result.status()).as(result.output()).isZero();
        String count = result.output().replaceAll("(?s).*succeeded (\\d+), failed 0.*", "$1");
        assertThat(Integer.parseInt(count)).isGreaterThan(run.atLeast);
    }

    @Test
    void withoutAnyOfThem() throws Exception {
        assertPasses(WITHOUT_ANY);
    }

    @ParameterizedTest
    @FieldSource("IDENTITY")
    void withoutOneOfThemForIdentity(Run run) throws Exception {
        assertPasses(run);
    }

    @Test
    @Needs(root = true, cgroup2 = true)
    void scopesByBothMeansWithoutAnyOther() throws Exception {
        assertPasses(SCOPES);
    }

    @ParameterizedTest
    @FieldSource("STARTING")
    void withoutSomeOfThemForStarting(Run run) throws Exception {
        assertPasses(run);
    }
}
