package io.holdfast.dbus.marshal;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;

/**
 * Skips values that were checked before. Positions are offsets in the memory; alignment counts from
 * the start of the message or body.
 */
final class BodySkip {
    private MemorySegment bytes = MemorySegment.NULL;
    private int base;
    private boolean swapped;
    private int next;

    void begin(MemorySegment memory, int start, boolean little) {
        bytes = memory;
        base = start;
        swapped = little != (ByteOrder.nativeOrder() == ByteOrder.LITTLE_ENDIAN);
    }

    /** Returns the position in the signature after the type of the value that was skipped last. */
    int next() {
        return next;
    }

    int align(int at, int alignment) {
        return base + TypeCode.align(at - base, alignment);
    }

    /** Returns the end of the value at {@code start}, of the complete type at {@code program}. */
    int value(MemorySegment signature, int program, int start) {
        int code = signature.get(JAVA_BYTE, program);
        next = program + 1;
        if (TypeCode.isFixed(code)) {
            int size = TypeCode.alignment(code);
            return align(start, size) + size;
        }
        return switch (code) {
            case 's', 'o' -> {
                int at = align(start, 4);
                yield at + 4 + word(at) + 1;
            }
            case 'g' -> start + 1 + (bytes.get(JAVA_BYTE, start) & 0xff) + 1;
            case 'v' -> {
                int end = variant(start);
                next = program + 1;
                yield end;
            }
            case 'a' -> {
                int at = align(start, 4);
                int alignment = TypeCode.alignment(signature.get(JAVA_BYTE, program + 1));
                next = TypeCode.end(signature, program);
                yield align(at + 4, alignment) + word(at);
            }
            default -> {
                int at = align(start, 8);
                int member = program + 1;
                int then;
                do {
                    at = value(signature, member, at);
                    member = next;
                    then = signature.get(JAVA_BYTE, member);
                } while (then != ')' && then != '}');
                next = member + 1;
                yield at;
            }
        };
    }

    /** Returns the end of the variant at {@code start}. */
    int variant(int start) {
        int length = bytes.get(JAVA_BYTE, start) & 0xff;
        return value(bytes, start + 1, start + 1 + length + 1);
    }

    /** Returns the number at an offset, in the byte order of the message. */
    int word(int at) {
        int word = bytes.get(JAVA_INT_UNALIGNED, at);
        return swapped ? Integer.reverseBytes(word) : word;
    }
}
