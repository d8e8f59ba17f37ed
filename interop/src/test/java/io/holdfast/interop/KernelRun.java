package io.holdfast.interop;

import io.holdfast.core.testkit.SameOnEveryKernel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.platform.engine.discovery.ClassNameFilter;
import org.junit.platform.engine.discovery.DiscoverySelectors;
import org.junit.platform.launcher.LauncherDiscoveryRequest;
import org.junit.platform.launcher.TagFilter;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;

/**
 * Runs the test classes found in folders of the class path in this one JVM, except those that are
 * {@link SameOnEveryKernel}, and prints the result:
 *
 * <pre>
 * java -cp … io.holdfast.interop.KernelRun core '.*' core/target/test-classes
 *
 * core: 412 passed, 0 failed, 9 skipped
 *   skipped 7: needs EXIT_INFO (Linux 6.15)
 *     PidFdTest: aStrangersExitStatusIsTold
 *     …
 * </pre>
 *
 * <p>{@code scripts/vm} starts it on a machine with another kernel, where a JVM for each test
 * class, let alone Maven, would take minutes. The regular expression selects by full class name.
 * Status 0: no test failed; 1: a test failed; 3: a test got stuck, and the stacks of all threads
 * were printed.
 */
public final class KernelRun {
    private KernelRun() {}

    public static void main(String[] arguments) {
        if (arguments.length < 3) {
            System.err.println("usage: KernelRun NAME REGEX TEST_CLASSES…");
            System.exit(64);
        }
        String[] folders = Arrays.copyOfRange(arguments, 2, arguments.length);
        KernelRunReport report = new KernelRunReport();
        StuckTests.watch(report);
        LauncherFactory.create().execute(request(arguments[1], folders), report);
        report.print(arguments[0], System.out);
        System.out.flush();
        System.exit(report.allPassed() ? 0 : 1); // even if a failed test has left threads behind
    }

    private static LauncherDiscoveryRequest request(String classNames, String... folders) {
        Set<Path> roots =
                Arrays.stream(folders)
                        .map(Path::of)
                        .filter(Files::isDirectory)
                        .collect(Collectors.toSet());
        return LauncherDiscoveryRequestBuilder.request()
                .selectors(DiscoverySelectors.selectClasspathRoots(roots))
                .filters(
                        ClassNameFilter.includeClassNamePatterns(".*Test"),
                        ClassNameFilter.includeClassNamePatterns(classNames),
                        TagFilter.excludeTags(SameOnEveryKernel.TAG))
                .build();
    }
}
