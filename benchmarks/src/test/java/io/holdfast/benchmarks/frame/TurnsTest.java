package io.holdfast.benchmarks.frame;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class TurnsTest {
    @Test
    void aQuantileLiesBetweenItsNeighbours() {
        double[] values = {4, 1, 3, 2};

        assertThat(Turns.quantile(values, 0.5)).isEqualTo(2.5);
        assertThat(Turns.quantile(values, 0)).isEqualTo(1);
        assertThat(Turns.quantile(values, 1)).isEqualTo(4);
        assertThat(Turns.quantile(new double[] {7}, 0.25)).isEqualTo(7);
    }

    @Test
    void everyRoundTakesOneSampleOfEachAndBeginsWithAnother() throws Exception {
        List<String> order = new ArrayList<>();
        Turns turns = new Turns();
        int _ = turns.add(() -> taken(order, "a"));
        int _ = turns.add(() -> taken(order, "b"));

        Turns _ = turns.run(0, 3);

        assertThat(order).containsExactly("a", "b", "b", "a", "a", "b");
    }

    @Test
    void aDisturbanceThatMeetsBothLeavesTheRatioAlone() throws Exception {
        double[] disturbance = {1, 10, 1, 1, 50};
        int[] round = new int[2];
        Turns turns = new Turns();
        int ours = turns.add(() -> new double[] {3 * disturbance[round[0]++]});
        int peer = turns.add(() -> new double[] {2 * disturbance[round[1]++]});

        Turns.Ratio ratio = turns.run(0, disturbance.length).ratio(ours, peer, 0);

        assertThat(ratio.median()).isCloseTo(1.5, within(1e-9));
        assertThat(ratio.low()).isCloseTo(1.5, within(1e-9));
        assertThat(ratio.high()).isCloseTo(1.5, within(1e-9));
    }

    @Test
    void warmUpDoesNotCount() throws Exception {
        double[] next = {100};
        Turns turns = new Turns();
        int it = turns.add(() -> new double[] {next[0]--});

        assertThat(turns.run(97, 3).median(it, 0)).isEqualTo(2);
    }

    @Test
    void theWorstIsTheGreatestOfTheRoundsThatCount() throws Exception {
        double[] next = {9, 2, 7, 3};
        int[] round = new int[1];
        Turns turns = new Turns();
        int it = turns.add(() -> new double[] {next[round[0]++]});

        assertThat(turns.run(1, 3).worst(it, 0)).isEqualTo(7);
    }

    private static double[] taken(List<String> order, String who) {
        order.add(who);
        return new double[] {1};
    }
}
