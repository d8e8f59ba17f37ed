package io.holdfast.races;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.testkit.ChildJvm;
import io.holdfast.core.testkit.SameOnEveryKernel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.openjdk.jcstress.Main;

/**
 * Runs all stress tests of this module with jcstress: each for a moment in {@code ./test}, and for
 * seconds in every JVM mode that jcstress knows with {@code -Dholdfast.long=true}.
 */
@SameOnEveryKernel
@Timeout(value = 60, unit = TimeUnit.MINUTES)
class RacesTest {
    private static final int TESTS = 11;

    /** States are made in strides, each with a few descriptors. */
    private static final List<String> STRIDES = List.of("-strideSize", "32", "-strideCount", "8");

    private static final String NATIVE =
            "--enable-native-access=ALL-UNNAMED --illegal-native-access=deny";

    /** One JVM mode. */
    private static final List<String> SHORT =
            List.of(
                    "-iters",
                    "1",
                    "-time",
                    "300",
                    "-pth",
                    "false",
                    "-jvmArgs",
                    "-XX:+UseSerialGC " + NATIVE);

    /** All JVM modes. */
    private static final List<String> LONG =
            List.of("-iters", "2", "-time", "1000", "-jvmArgsPrepend", NATIVE);

    private static final Pattern RESULTS =
            Pattern.compile(
                    "Results: (\\d+) planned; (\\d+) passed, 0 failed, 0 soft errs, 0 hard");

    @Test
    void noInterleavingBreaksWhatThreadsShare(@TempDir Path folder) {
        List<String> arguments =
                new ArrayList<>(Boolean.getBoolean("holdfast.long") ? LONG : SHORT);
        arguments.addAll(STRIDES);
        arguments.addAll(List.of("-f", "1", "-sc", "false", "-r", folder + "/report"));
        // jcstress leaves a file in its working directory
        List<String> command = new ArrayList<>(List.of("env", "--chdir=" + folder));
        command.addAll(
                ChildJvm.command(
                        List.of("-Xmx256m"), Main.class, arguments.toArray(String[]::new)));
        ChildJvm.Result result = ChildJvm.run(command);
        List<MatchResult> results = RESULTS.matcher(result.output()).results().toList();
        assertThat(results).as(result.output()).isNotEmpty();
        assertThat(results.getLast().group(2))
                .as(result.output())
                .isEqualTo(results.getLast().group(1));
        assertThat(Integer.parseInt(results.getLast().group(2))).isGreaterThanOrEqualTo(TESTS);
    }
}
