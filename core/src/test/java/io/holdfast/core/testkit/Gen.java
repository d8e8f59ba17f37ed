package io.holdfast.core.testkit;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.Supplier;
import java.util.stream.LongStream;
import java.util.stream.Stream;

/**
 * A seeded source of test data for property and fuzz tests. Its seed is its name, so that a failing
 * case of a {@code @ParameterizedTest @MethodSource} prints it; {@code -Dholdfast.seed=N} replays
 * that one case alone, and {@code -Dholdfast.long=true} runs a hundred times as many.
 */
public final class Gen {
    private static final int LONG_FACTOR = 100;

    private final long seed;
    private final SplittableRandom random;

    public Gen(long seed) {
        this.seed = seed;
        this.random = new SplittableRandom(seed);
    }

    /** As many generators as asked for (more in the long suite), each with a fresh seed. */
    public static Stream<Gen> cases(int count) {
        Long replay = Long.getLong("holdfast.seed");
        if (replay != null) {
            return Stream.of(new Gen(replay));
        }
        SplittableRandom seeds = new SplittableRandom();
        long n = Boolean.getBoolean("holdfast.long") ? (long) count * LONG_FACTOR : count;
        return LongStream.range(0, n).mapToObj(_ -> new Gen(seeds.nextLong()));
    }

    /** A number from {@code low} to {@code high}, both included. */
    public int between(int low, int high) {
        return random.nextInt(low, high + 1);
    }

    public long anyLong() {
        return random.nextLong();
    }

    public boolean chance(double probability) {
        return random.nextDouble() < probability;
    }

    @SafeVarargs
    public final <T> T oneOf(T... choices) {
        return choices[random.nextInt(choices.length)];
    }

    public <T> T oneOf(List<T> choices) {
        return choices.get(random.nextInt(choices.size()));
    }

    /** Up to {@code max} characters of {@code alphabet}. */
    public String string(String alphabet, int max) {
        int length = between(0, max);
        StringBuilder text = new StringBuilder(length);
        for (int i = 0; i < length; i++) {
            text.append(alphabet.charAt(random.nextInt(alphabet.length())));
        }
        return text.toString();
    }

    /** Up to {@code max} arbitrary bytes. */
    public byte[] bytes(int max) {
        byte[] bytes = new byte[between(0, max)];
        random.nextBytes(bytes);
        return bytes;
    }

    /** Up to {@code max} elements. */
    public <T> List<T> list(int max, Supplier<T> element) {
        int size = between(0, max);
        List<T> list = new ArrayList<>(size);
        for (int i = 0; i < size; i++) {
            list.add(element.get());
        }
        return list;
    }

    /** The text with a few characters removed, doubled, swapped or replaced: nearly valid input. */
    public String mutate(String text, String alphabet) {
        StringBuilder mutant = new StringBuilder(text);
        for (int i = between(1, 4); i > 0; i--) {
            int at = between(0, mutant.length());
            switch (between(0, 3)) {
                case 0 -> mutant.delete(at, Math.min(mutant.length(), at + between(1, 3)));
                case 1 ->
                        mutant.insert(at, mutant.substring(at, Math.min(mutant.length(), at + 5)));
                case 2 -> mutant.insert(at, string(alphabet, 3));
                default -> mutant.setLength(Math.max(at, mutant.length() - 2));
            }
        }
        return mutant.toString();
    }

    @Override
    public String toString() {
        return "seed " + seed;
    }
}
