package io.holdfast.benchmarks.frame;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Measures several samplers in turns: one sample of each, then again, so that other work on the
 * machine disturbs all of them alike. Ratios are computed within a round.
 */
public final class Turns {
    /** Takes one sample, of one or several values. */
    @FunctionalInterface
    public interface Sampler {
        double[] sample() throws IOException, InterruptedException;
    }

    private final List<Sampler> samplers = new ArrayList<>();
    private final List<List<double[]>> samples = new ArrayList<>();
    private boolean inOrder;

    /** Adds a sampler, and returns its number. */
    public int add(Sampler sampler) {
        samplers.add(sampler);
        samples.add(new ArrayList<>());
        return samplers.size() - 1;
    }

    /**
     * Keeps the order of the samplers in every round, for samplers that depend on the one before.
     */
    public Turns inOrder() {
        inOrder = true;
        return this;
    }

    /** Takes samples of all, after some warm-up rounds that do not count. */
    public Turns run(int warmUp, int rounds) throws IOException, InterruptedException {
        for (int round = -warmUp; round < rounds; round++) {
            for (int i = 0; i < samplers.size(); i++) {
                // the order rotates, so that no sampler always follows the same one
                int first = inOrder ? 0 : Math.floorMod(round, samplers.size());
                int who = (i + first) % samplers.size();
                double[] sample = samplers.get(who).sample();
                if (round >= 0) {
                    samples.get(who).add(sample);
                }
            }
        }
        return this;
    }

    /** Returns the median of a value. */
    public double median(int who, int value) {
        return quantile(values(who, value), 0.5);
    }

    /** Returns the largest of a value. */
    public double worst(int who, int value) {
        return quantile(values(who, value), 1);
    }

    private double[] values(int who, int value) {
        return samples.get(who).stream().mapToDouble(s -> s[value]).toArray();
    }

    /** Returns the ratio of two samplers' values, by round. */
    public Ratio ratio(int one, int other, int value) {
        double[] ratios = new double[samples.get(one).size()];
        for (int i = 0; i < ratios.length; i++) {
            ratios[i] = samples.get(one).get(i)[value] / samples.get(other).get(i)[value];
        }
        return new Ratio(quantile(ratios, 0.5), quantile(ratios, 0.25), quantile(ratios, 0.75));
    }

    /**
     * A ratio with its spread.
     *
     * @param low the lower quartile of the rounds
     * @param high the upper quartile
     */
    public record Ratio(double median, double low, double high) {}

    /** Returns the quantile of the values, interpolated between neighbours. */
    public static double quantile(double[] values, double part) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        double at = part * (sorted.length - 1);
        int below = (int) at;
        int above = Math.min(below + 1, sorted.length - 1);
        return sorted[below] + (at - below) * (sorted[above] - sorted[below]);
    }
}
