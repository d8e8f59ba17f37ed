package io.holdfast.manager.unit.resource;

import io.holdfast.manager.unit.value.Scalars;
import java.util.BitSet;

/** A set of CPUs or memory nodes, written as ranges: {@code 0-3 5,7}. Immutable. */
public final class NumberSet {
    /** The greatest number; the kernel's own limit is far below. */
    public static final int MAX = 8191;

    private final BitSet numbers;

    private NumberSet(BitSet numbers) {
        this.numbers = numbers;
    }

    /**
     * Returns the set with these bits: the first bit of the first byte is 0.
     *
     * @throws IllegalArgumentException if a number is above {@link #MAX}
     */
    public static NumberSet ofBits(byte[] bits) {
        BitSet numbers = BitSet.valueOf(bits);
        if (numbers.length() > MAX + 1) {
            throw new IllegalArgumentException("a number above " + MAX);
        }
        return new NumberSet(numbers);
    }

    /**
     * Parses ranges, separated by blanks or commas.
     *
     * @throws IllegalArgumentException if a range is none
     */
    public static NumberSet parse(String text) {
        BitSet numbers = new BitSet();
        for (String range : text.strip().split("[\\s,]+")) {
            String[] ends = range.split("-", 2);
            try {
                int first = Scalars.parseInt(ends[0], 0, MAX);
                int last = ends.length == 1 ? first : Scalars.parseInt(ends[1], 0, MAX);
                if (last >= first) { // systemd ignores a reversed range
                    numbers.set(first, last + 1);
                }
            } catch (IllegalArgumentException e) {
                throw Scalars.bad("a list of numbers and ranges such as 0-3 5", text);
            }
        }
        return new NumberSet(numbers);
    }

    NumberSet and(NumberSet more) {
        BitSet all = (BitSet) numbers.clone();
        all.or(more.numbers);
        return new NumberSet(all);
    }

    /** Returns the bits in whole words of eight bytes, as systemd passes them. */
    public byte[] bits() {
        byte[] bytes = numbers.toByteArray();
        return java.util.Arrays.copyOf(bytes, Math.ceilDiv(bytes.length, Long.BYTES) * Long.BYTES);
    }

    /** Returns the ranges as the kernel reads them: {@code 0-3,5}. */
    @Override
    public String toString() {
        StringBuilder text = new StringBuilder();
        for (int from = numbers.nextSetBit(0); from >= 0; ) {
            int to = numbers.nextClearBit(from) - 1;
            text.append(text.isEmpty() ? "" : ",").append(from);
            if (to > from) {
                text.append('-').append(to);
            }
            from = numbers.nextSetBit(to + 1);
        }
        return text.toString();
    }

    @Override
    public boolean equals(@org.jspecify.annotations.Nullable Object other) {
        return other instanceof NumberSet set && numbers.equals(set.numbers);
    }

    @Override
    public int hashCode() {
        return numbers.hashCode();
    }
}
