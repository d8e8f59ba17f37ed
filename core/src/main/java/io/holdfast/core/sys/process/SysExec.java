package io.holdfast.core.sys.process;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.holdfast.core.Errno;
import io.holdfast.core.Fd;
import io.holdfast.core.Signal;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.Libc;
import java.io.File;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * {@code execve(2)} of this very process: another program in its place, which keeps its number, its
 * parent, its children, its cgroup, and that it is a subreaper. All threads of the JVM end.
 */
public final class SysExec {
    private static final int FIRST = 3; // after the standard streams
    private static final int SIG_SETMASK = 2;
    private static final int SIGSET_SIZE = 128;

    private static final Libc.Function EXECVE = Libc.bind("execve");
    private static final Libc.Function PTHREAD_SIGMASK = Libc.bind("pthread_sigmask");

    private SysExec() {}

    /**
     * Becomes another program. It gets our environment, the standard streams and what is kept,
     * under the same numbers. What this process ignores stays ignored.
     *
     * <p>If it cannot be executed, all descriptors but the standard streams and those that are kept
     * are close-on-exec, and this thread blocks no other signals.
     *
     * @param program its path
     * @param arguments from {@code argv[0]} on
     * @param kept open over the exec
     * @param blocked the only signals that the program starts with blocked, of 1 to 64
     * @return -errno, if it returns at all
     */
    public static int replace(
            String program, List<String> arguments, List<Fd> kept, List<Signal> blocked) {
        Set<Integer> open = new HashSet<>();
        for (Fd fd : kept) {
            boolean ignored = fd.with(open::add);
        }
        String[] all = new File("/proc/self/fd").list();
        if (all == null) {
            return -Errno.ENOENT; // without /proc nobody knows what is open
        }
        for (String each : all) {
            int number = Integer.parseInt(each);
            if (number >= FIRST) {
                int flags = open.contains(number) ? 0 : Fcntl.FD_CLOEXEC;
                int ignored = Fcntl.setDescriptorFlags(number, flags);
            }
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment mask = arena.allocate(SIGSET_SIZE, 8);
            long bits = 0;
            for (Signal signal : blocked) {
                bits |= 1L << (signal.number() - 1);
            }
            mask.set(JAVA_LONG, 0, bits);
            int ignored = Libc.intCall(PTHREAD_SIGMASK, SIG_SETMASK, mask.address(), 0, 0, 0, 0);
            MemorySegment path = PosixSpawn.strings(arena, List.of(program));
            return Libc.intCall(
                    EXECVE,
                    path.address() + 2 * Long.BYTES, // behind the array of one
                    PosixSpawn.strings(arena, arguments).address(),
                    Libc.environ(),
                    0,
                    0,
                    0);
        }
    }
}
