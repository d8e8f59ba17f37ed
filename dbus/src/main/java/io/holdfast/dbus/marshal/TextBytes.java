package io.holdfast.dbus.marshal;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.SplittableRandom;

/** Text as bytes in memory: conversion to String, comparison, hashes. */
final class TextBytes {
    private static final ValueLayout.OfLong LONG =
            ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt INT =
            ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final long PRIME = 0x9E3779B97F4A7C15L;

    /**
     * Different in each process, so that a client cannot choose names that collide in its hash
     * tables.
     */
    private static final long SEED = new SplittableRandom().nextLong();

    private TextBytes() {}

    static String utf8(MemorySegment bytes, long offset, int length) {
        return new String(copy(bytes, offset, length), StandardCharsets.UTF_8);
    }

    static String ascii(MemorySegment bytes, long offset, int length) {
        return new String(copy(bytes, offset, length), StandardCharsets.ISO_8859_1);
    }

    static byte[] copy(MemorySegment bytes, long offset, int length) {
        byte[] copy = new byte[length];
        MemorySegment.copy(bytes, JAVA_BYTE, offset, copy, 0, length);
        return copy;
    }

    static boolean equal(MemorySegment bytes, long offset, int length, byte[] text) {
        if (length != text.length) {
            return false;
        }
        for (int i = 0; i < length; i++) {
            if (bytes.get(JAVA_BYTE, offset + i) != text[i]) {
                return false;
            }
        }
        return true;
    }

    /** Hashes eight bytes per step; equal bytes have the same hash at every position. */
    static int hash(MemorySegment bytes, long offset, int length) {
        long hash = SEED ^ length * PRIME;
        int i = 0;
        for (; length - i > 8; i += 8) {
            hash = (hash ^ bytes.get(LONG, offset + i)) * PRIME;
            hash ^= hash >>> 32;
        }
        hash = (hash ^ last(bytes, offset, length)) * PRIME;
        return (int) (hash ^ hash >>> 32);
    }

    /** Returns the last eight bytes, or all bytes if there are fewer. */
    private static long last(MemorySegment bytes, long offset, int length) {
        if (length >= 8) {
            return bytes.get(LONG, offset + length - 8);
        }
        if (length >= 4) {
            return (bytes.get(INT, offset) & 0xffffffffL)
                    | (long) bytes.get(INT, offset + length - 4) << 32;
        }
        long last = 0;
        for (int i = 0; i < length; i++) {
            last = last << 8 | (bytes.get(JAVA_BYTE, offset + i) & 0xff);
        }
        return last;
    }
}
