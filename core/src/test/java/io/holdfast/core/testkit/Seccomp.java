package io.holdfast.core.testkit;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;

/**
 * Steps of a test under a seccomp(2) filter, as containers have one: on a thread of its own, whose
 * filter ends with it. Needs no privilege.
 */
public final class Seccomp {
    private static final boolean ARM = System.getProperty("os.arch").equals("aarch64");
    private static final long PRCTL = ARM ? 167 : 157;
    private static final long SECCOMP = ARM ? 277 : 317;
    private static final long PR_SET_NO_NEW_PRIVS = 38;
    private static final long SECCOMP_SET_MODE_FILTER = 1;

    // linux/filter.h and linux/seccomp.h
    private static final int BPF_LD_W_ABS = 0x20;
    private static final int BPF_JMP_JEQ_K = 0x15;
    private static final int BPF_RET_K = 0x06;
    private static final int SECCOMP_RET_ERRNO = 0x0005_0000;
    private static final int SECCOMP_RET_ALLOW = 0x7FFF_0000;
    private static final int INSTRUCTION = 8;

    @SuppressWarnings("restricted")
    private static final MethodHandle SYSCALL =
            Linker.nativeLinker()
                    .downcallHandle(
                            Linker.nativeLinker().defaultLookup().findOrThrow("syscall"),
                            FunctionDescriptor.of(
                                    JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG,
                                    JAVA_LONG, JAVA_LONG));

    private Seccomp() {}

    /**
     * Runs it where a system call, by its number, fails with the errno; what it throws is thrown.
     */
    public static void refusing(int systemCall, int errno, AsUser.Step step) throws Exception {
        FutureTask<Void> task =
                new FutureTask<>(() -> {
                    filter(systemCall, errno);
                    step.run();
                    return null;
                });
        Thread.ofPlatform().name("filtered").start(task);
        try {
            task.get();
        } catch (ExecutionException e) {
            switch (e.getCause()) {
                case Exception cause -> throw cause;
                case Error cause -> throw cause;
                case null, default -> throw e;
            }
        }
    }

    /** From now on, to the end of this thread, a system call fails with the errno. */
    public static void filter(int systemCall, int errno) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment code = arena.allocate(4 * INSTRUCTION, 8);
            put(code, 0, BPF_LD_W_ABS, 0, 0, 0); // seccomp_data.nr
            put(code, 1, BPF_JMP_JEQ_K, 0, 1, systemCall);
            put(code, 2, BPF_RET_K, 0, 0, SECCOMP_RET_ERRNO | errno);
            put(code, 3, BPF_RET_K, 0, 0, SECCOMP_RET_ALLOW);
            MemorySegment program = arena.allocate(16, 8);
            program.set(JAVA_SHORT, 0, (short) 4);
            program.set(JAVA_LONG, 8, code.address());
            call(PRCTL, PR_SET_NO_NEW_PRIVS, 1, 0);
            call(SECCOMP, SECCOMP_SET_MODE_FILTER, 0, program.address());
        }
    }

    private static void put(MemorySegment code, int index, int op, int yes, int no, int k) {
        long at = (long) index * INSTRUCTION;
        code.set(JAVA_SHORT, at, (short) op);
        code.set(JAVA_BYTE, at + 2, (byte) yes);
        code.set(JAVA_BYTE, at + 3, (byte) no);
        code.set(JAVA_INT, at + 4, k);
    }

    private static void call(long number, long a, long b, long c) {
        try {
            long r = (long) SYSCALL.invokeExact(number, a, b, c, 0L, 0L);
            if (r != 0) {
                throw new IllegalStateException("system call " + number + " failed");
            }
        } catch (RuntimeException e) {
            throw e;
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }
}
