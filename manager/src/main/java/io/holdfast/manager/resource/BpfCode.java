package io.holdfast.manager.resource;

import io.holdfast.core.sys.SysBpf;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/**
 * The instructions of a BPF program for a cgroup, which permits with 1 and refuses with 0.
 *
 * @see <a href="https://docs.kernel.org/bpf/standardization/instruction-set.html">BPF Instruction
 *     Set Architecture</a>
 */
final class BpfCode {
    /** The register of the stack, which grows down. */
    static final int STACK = 10;

    private static final int RESULT = 0; // the register of results
    private static final int LOAD = 0x61; // 4 bytes
    private static final int COPY = 0xbf;
    private static final int ADDRESS = 0x18; // in two instructions
    private static final int OF_MAP_VALUE = 2; // BPF_PSEUDO_MAP_VALUE
    private static final int ADD_TO_MEMORY = 0xdb; // atomically, 8 bytes
    private static final int SET = 0xb7;
    private static final int ADD = 0x07;
    private static final int AND = 0x54; // of 4 bytes, like the next ones
    private static final int SHIFT_RIGHT = 0x74;
    private static final int UNLESS = 0x56;
    private static final int UNLESS_REGISTER = 0x5e;
    private static final int CALL = 0x85;
    private static final int EXIT = 0x95;

    private record Instruction(int code, int to, int from, int offset, int value) {}

    private final List<Instruction> all = new ArrayList<>();

    private void add(int code, int to, int from, int offset, int value) {
        all.add(new Instruction(code, to, from, offset, value));
    }

    /** Reads 4 bytes behind the address in a register. */
    void load(int to, int address, int offset) {
        add(LOAD, to, address, offset, 0);
    }

    /** Sets a register to the address of a place in the value of a map. */
    void mapValue(int to, int map, int offset) {
        add(ADDRESS, to, OF_MAP_VALUE, 0, map);
        add(0, 0, 0, 0, offset);
    }

    /** Adds a register to the 8 bytes behind the address in another one. */
    void addToMemory(int address, int offset, int register) {
        add(ADD_TO_MEMORY, address, register, offset, 0);
    }

    void copy(int to, int from) {
        add(COPY, to, from, 0, 0);
    }

    void set(int to, int value) {
        add(SET, to, 0, 0, value);
    }

    void add(int to, int value) {
        add(ADD, to, 0, 0, value);
    }

    void and(int to, int mask) {
        add(AND, to, 0, 0, mask);
    }

    void shiftRight(int to, int bits) {
        add(SHIFT_RIGHT, to, 0, 0, bits);
    }

    /** Calls a function of the kernel. */
    void call(int function) {
        add(CALL, 0, 0, 0, function);
    }

    /** Jumps unless a register has a value; returns the jump, whose target follows. */
    int unless(int register, int value) {
        add(UNLESS, register, 0, 0, value);
        return all.size() - 1;
    }

    /** Jumps unless two registers are equal; returns the jump. */
    int unlessEqual(int register, int other) {
        add(UNLESS_REGISTER, register, other, 0, 0);
        return all.size() - 1;
    }

    /** Makes the next instruction the target of a jump. */
    void land(int jump) {
        Instruction at = all.get(jump);
        int distance = all.size() - jump - 1;
        if (distance > Short.MAX_VALUE) {
            throw new IllegalArgumentException("too many addresses or devices for a BPF program");
        }
        all.set(jump, new Instruction(at.code, at.to, at.from, distance, at.value));
    }

    /** Ends the program: the kernel permits or refuses. */
    void end(boolean permitted) {
        set(RESULT, permitted ? 1 : 0);
        add(EXIT, 0, 0, 0, 0);
    }

    /** Returns the program that permits all. */
    static byte[] permitting() {
        BpfCode code = new BpfCode();
        code.end(true);
        return code.bytes();
    }

    byte[] bytes() {
        byte[] bytes = new byte[all.size() * SysBpf.INSTRUCTION];
        ByteBuffer buffer = ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder());
        for (Instruction each : all) {
            buffer.put((byte) each.code).put((byte) ((each.from << 4) | each.to));
            buffer.putShort((short) each.offset).putInt(each.value);
        }
        return bytes;
    }
}
