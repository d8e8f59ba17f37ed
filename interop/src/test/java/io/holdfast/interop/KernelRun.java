package io.holdfast.interop;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.platform.engine.discovery.ClassNameFilter;
import org.junit.platform.engine.discovery.DiscoverySelectors;
import org.junit.platform.launcher.LauncherDiscoveryRequest;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;

/**
 * Runs every test class found in folders of the class path in this one VM, and says how it went:
 *
 * <pre>
 * java -cp … io.holdfast.interop.KernelRun 'REGEX' core/target/test-classes …
 *
 * kernel 6.1.0-50-cloud-amd64: 412 passed, 0 failed, 9 skipped
 *   skipped 7: needs EXIT_INFO (Linux 6.15)
 *     PidFdTest: aStrangersExitStatusIsTold
 *     …
 * </pre>
 *
 * <p>{@code scripts/vm} starts it as the only program of a machine with another kernel, where a VM
 * for each test class, let alone Maven, would take minutes. {@code REGEX} narrows by full class
 * name. Status 0: all passed; 1: some failed, or no test was found; 3: a test got stuck, and the
 * stacks of all threads were printed.
 */
public final class KernelRun {
    private KernelRun() {}

    public static void main(String[] arguments) throws IOException {
        if (arguments.length < 2) {
            System.err.println("usage: KernelRun REGEX TEST_CLASSES…");
            System.exit(64);
        }
        String kernel = Files.readString(Path.of("/proc/sys/kernel/osrelease")).strip();
        KernelRunReport report = new KernelRunReport();
        StuckTests.watch(report);
        LauncherFactory.create()
                .execute(
                        request(arguments[0], Arrays.copyOfRange(arguments, 1, arguments.length)),
                        report);
        report.print(kernel, System.out);
        System.out.flush();
        System.exit(report.allPassed() ? 0 : 1); // whatever threads a failed test has left behind
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
                        ClassNameFilter.includeClassNamePatterns(classNames))
                .build();
    }
}
