package io.holdfast.core.sys.process;

import io.holdfast.core.Errno;
import io.holdfast.core.sys.Libc;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * A spawn that {@link PosixSpawn} has prepared down to the arguments of the system calls, so that
 * {@link #run} loads no class on the thread with its own descriptor table.
 *
 * @param function {@code posix_spawn} or {@code pidfd_spawn}
 * @param isPidfd whether the result is a pidfd, otherwise a PID
 * @param errno where the call leaves its error
 * @param memory where the call leaves its result, at its start
 * @param address the address of the memory
 * @param path the address of the program's path, and so on in the order of the call's parameters
 */
record SpawnCall(
        ChildTable table,
        ThreadAttributes attributes,
        @Nullable NamespaceEntry entry,
        Libc.Function function,
        boolean isPidfd,
        MemorySegment errno,
        ByteBuffer memory,
        long address,
        long path,
        long actions,
        long attr,
        long argv,
        long environment) {
    /**
     * Fills the table of the calling thread and spawns the child.
     *
     * @param self the number of a pidfd of this process in its own table, or -1 if its table is a
     *     copy of that of this process
     * @return the PID of the child, or the number of its pidfd in the table of the thread, or
     *     -errno
     */
    int run(int self) {
        int r = attributes.set();
        if (r == 0) {
            r = self >= 0 ? table.fetch(self) : table.arrange();
        }
        if (r < 0) {
            return r;
        }
        r = Errno.EPERM;
        if (entry == null || entry.enter()) {
            r = Libc.intCall(function, errno, address, path, actions, attr, argv, environment);
        }
        if (entry != null) {
            entry.leave();
        }
        return r == 0 ? memory.getInt(0) : -r; // an errno value, not -1
    }
}
