package io.holdfast.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.process.Cgroup;
import io.holdfast.core.testkit.Needs;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(120)
class TourTest {
    @Test
    @Needs(root = true, cgroup2 = true)
    void itShowsTheAttackTheRefusalAndAServiceAndLeavesNothing() throws Exception {
        Program tour = Program.run("tour");

        assertThat(tour.err()).isEmpty();
        assertThat(tour.out())
                .containsSubsequence(
                        "1. A number is not a process",
                        "2. What goes by number is fooled",
                        "ProcessHandle says the worker is alive: yes",
                        "the stranger killed by SIGKILL",
                        "3. What holds a pidfd is not",
                        "how it ended: killed by SIGKILL",
                        "KILL to it: not sent, there is nobody",
                        "4. Who is this?",
                        "tour.service",
                        "stopped: done; nothing is left behind")
                .doesNotContain("\u001b");
        assertThat(tour.code()).isZero();
        try (Cgroup own = Cgroup.own()) {
            List<String> names = own.childNames();
            assertThat(names).noneMatch(name -> name.startsWith("holdfasttour"));
        }
    }
}
