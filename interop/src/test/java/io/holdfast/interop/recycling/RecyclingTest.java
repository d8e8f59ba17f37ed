package io.holdfast.interop.recycling;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.Feature;
import io.holdfast.core.testkit.CProgram;
import io.holdfast.core.testkit.ChildJvm;
import io.holdfast.core.testkit.Needs;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * PIDs are recycled in a PID namespace as fast as the kernel allows, and no answer is about the
 * wrong process: {@link RecyclingProgram}. For 2 seconds in {@code ./test}, for 30 with {@code
 * -Dholdfast.long=true}.
 */
@Timeout(400)
@Needs(
        root = true,
        cgroup2 = true,
        features = {Feature.PIDFD_INFO},
        programs = {"unshare", "gcc"})
class RecyclingTest {
    private static final Duration TIME =
            Boolean.getBoolean("holdfast.long") ? Duration.ofSeconds(30) : Duration.ofSeconds(2);

    @Test
    void nobodyIsFooledWhileNumbersAreRecycled(@TempDir Path folder) {
        Path hammer = CProgram.of(RecyclingTest.class, "hammer.c");
        List<String> command =
                new ArrayList<>(
                        List.of("unshare", "--pid", "--fork", "--kill-child", "--mount-proc"));
        command.addAll(
                ChildJvm.command(
                        List.of("-Xmx256m"),
                        RecyclingProgram.class,
                        hammer.toString(),
                        folder.toString(),
                        Long.toString(TIME.toMillis())));
        ChildJvm.Result result = ChildJvm.run(command);
        System.out.println(result.output());
        assertThat(result.status()).as(result.output()).isZero();
    }
}
