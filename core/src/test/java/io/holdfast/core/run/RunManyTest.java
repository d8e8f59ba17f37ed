package io.holdfast.core.run;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.testkit.OpenDescriptors;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Many runs at once. */
@Timeout(100)
class RunManyTest {
    @Test
    void aThousandRunsLeaveNothing() throws Exception {
        RunResult _ = Run.of("cat").input("x").run();
        OpenDescriptors before = OpenDescriptors.now();
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<String>> outputs = new ArrayList<>();
            for (int i = 0; i < 1000; i++) {
                String text = "text " + i;
                outputs.add(threads.submit(() -> Run.of("cat").input(text).run().output()));
            }
            for (int i = 0; i < outputs.size(); i++) {
                assertThat(outputs.get(i).get()).isEqualTo("text " + i);
            }
        }
        before.awaitSameNumber();
    }
}
