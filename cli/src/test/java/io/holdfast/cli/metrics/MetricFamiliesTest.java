package io.holdfast.cli.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class MetricFamiliesTest {
    @Test
    void familiesAreWrittenAsOpenMetrics() {
        MetricFamilies families = new MetricFamilies("a_");
        families.counter("calls", "All calls.", 3);
        families.gauge(
                "size",
                "Bytes by \"user\".",
                samples -> {
                    samples.add(7, "uid", "0", "name", "a \"b\"\\\nc");
                    samples.add(8, "uid", "1", "name", "");
                });
        families.gauge("none", "Left out.", samples -> {});
        families.info("name", "Owners.", List.<String[]>of(new String[] {"name", "n"}));

        assertThat(families.text())
                .isEqualTo(
                        """
                        # TYPE a_calls counter
                        # HELP a_calls All calls.
                        a_calls_total 3
                        # TYPE a_size gauge
                        # HELP a_size Bytes by \\"user\\".
                        a_size{name="a \\"b\\"\\\\\\nc",uid="0"} 7
                        a_size{name="",uid="1"} 8
                        # TYPE a_name info
                        # HELP a_name Owners.
                        a_name_info{name="n"} 1
                        # EOF
                        """);
    }
}
