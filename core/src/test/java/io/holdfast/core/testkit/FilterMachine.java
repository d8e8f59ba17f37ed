package io.holdfast.core.testkit;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;

/** Executes filters of system calls as the kernel does. */
public final class FilterMachine {
    private static final int SECCOMP_RET_ALLOW = 0x7fff_0000;

    private FilterMachine() {}

    /**
     * A system call.
     *
     * @param architecture of {@code linux/audit.h}
     */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    public record Call(int architecture, int number, long... arguments) {
        private byte[] data() {
            ByteBuffer data = ByteBuffer.allocate(64).order(ByteOrder.LITTLE_ENDIAN);
            data.putInt(number).putInt(architecture).putLong(0);
            for (long argument : arguments) {
                data.putLong(argument);
            }
            return data.array();
        }
    }

    /**
     * Returns the answer of several filters: the most severe; the newest, if several are.
     *
     * @param programs the oldest first
     */
    public static int answer(List<byte[]> programs, Call call) {
        int answer = SECCOMP_RET_ALLOW;
        for (byte[] program : programs.reversed()) {
            int next = answer(program, call);
            if ((next & 0xffff_0000) < (answer & 0xffff_0000)) { // signed, as in the kernel
                answer = next;
            }
        }
        return answer;
    }

    private static int answer(byte[] program, Call call) {
        ByteBuffer code = ByteBuffer.wrap(program).order(ByteOrder.LITTLE_ENDIAN);
        ByteBuffer data = ByteBuffer.wrap(call.data()).order(ByteOrder.LITTLE_ENDIAN);
        int accumulator = 0;
        int at = 0;
        while (true) {
            int operand = code.getInt(at * 8 + 4);
            int onTrue = code.get(at * 8 + 2) & 0xff;
            int onFalse = code.get(at * 8 + 3) & 0xff;
            int operation = code.getShort(at * 8);
            int order = Integer.compareUnsigned(accumulator, operand);
            at++;
            switch (operation) {
                case 0x20 -> accumulator = data.getInt(operand);
                case 0x54 -> accumulator &= operand;
                case 0x05 -> at += operand;
                case 0x15 -> at += order == 0 ? onTrue : onFalse;
                case 0x25 -> at += order > 0 ? onTrue : onFalse;
                case 0x35 -> at += order >= 0 ? onTrue : onFalse;
                case 0x45 -> at += (accumulator & operand) != 0 ? onTrue : onFalse;
                case 0x06 -> {
                    return operand;
                }
                default -> throw new IllegalArgumentException("operation " + operation);
            }
        }
    }
}
