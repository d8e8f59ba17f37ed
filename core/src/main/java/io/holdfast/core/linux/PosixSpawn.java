package io.holdfast.core.linux;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import org.jspecify.annotations.Nullable;

/**
 * {@code spawn.h}: one program to start, as attributes, file actions, arguments and environment in
 * native memory. Used by one thread, started at most once, closed afterwards.
 *
 * <p>The child starts with an empty signal mask and default dispositions, whatever the JVM has set.
 */
public final class PosixSpawn implements AutoCloseable {
    // bits/spawn: flags
    private static final int SETPGROUP = 2;
    private static final int SETSIGDEF = 4;
    private static final int SETSIGMASK = 8;
    private static final int SETSID = 0x80;
    private static final int SETCGROUP = 0x100;

    // sizes of the opaque types
    private static final int ATTR_SIZE = 336;
    private static final int ACTIONS_SIZE = 80;
    private static final int SIGSET_SIZE = 128;

    // where they lie in one block
    private static final int ATTR = 0;
    private static final int ACTIONS = ATTR + ATTR_SIZE;
    private static final int FULL_SET = ACTIONS + ACTIONS_SIZE;
    private static final int EMPTY_SET = FULL_SET + SIGSET_SIZE;
    private static final int RESULT = EMPTY_SET + SIGSET_SIZE;
    private static final int BLOCK_SIZE = RESULT + 8;

    private static final MethodHandle ATTR_INIT = Libc.bind("posix_spawnattr_init");
    private static final MethodHandle ATTR_DESTROY = Libc.bind("posix_spawnattr_destroy");
    private static final MethodHandle SETFLAGS = Libc.bind("posix_spawnattr_setflags");
    private static final MethodHandle SETSIGMASK_ = Libc.bind("posix_spawnattr_setsigmask");
    private static final MethodHandle SETSIGDEFAULT = Libc.bind("posix_spawnattr_setsigdefault");
    private static final MethodHandle SETPGROUP_ = Libc.bind("posix_spawnattr_setpgroup");
    private static final MethodHandle ACTIONS_INIT = Libc.bind("posix_spawn_file_actions_init");
    private static final MethodHandle ACTIONS_DESTROY =
            Libc.bind("posix_spawn_file_actions_destroy");
    private static final MethodHandle ADDDUP2 = Libc.bind("posix_spawn_file_actions_adddup2");
    private static final MethodHandle ADDCLOSE = Libc.bind("posix_spawn_file_actions_addclose");
    private static final @Nullable MethodHandle ADDCLOSEFROM =
            Libc.find("posix_spawn_file_actions_addclosefrom_np");
    private static final MethodHandle POSIX_SPAWN = Libc.bind("posix_spawn");
    private static final @Nullable MethodHandle PIDFD_SPAWN = Libc.find("pidfd_spawn");

    /** The rarer ones, bound when first needed. */
    private static final class Rare {
        static final @Nullable MethodHandle SETCGROUP = Libc.find("posix_spawnattr_setcgroup_np");
        static final MethodHandle ADDOPEN = Libc.bind("posix_spawn_file_actions_addopen");
        static final MethodHandle ADDFCHDIR = Libc.bind("posix_spawn_file_actions_addfchdir_np");
        static final @Nullable MethodHandle ADDTCSETPGRP =
                Libc.find("posix_spawn_file_actions_addtcsetpgrp_np");
    }

    private final Arena arena = Arena.ofConfined();
    private final MemorySegment block = arena.allocate(BLOCK_SIZE, 16);
    private final long attr = block.address() + ATTR;
    private final long actions = block.address() + ACTIONS;
    private final List<Fd> borrowed = new ArrayList<>();
    private final List<Fd> owned = new ArrayList<>();
    private int flags = SETSIGDEF | SETSIGMASK;

    public PosixSpawn() {
        check(call(ATTR_INIT, attr, 0, 0, 0, 0, 0), "posix_spawnattr_init");
        check(call(ACTIONS_INIT, actions, 0, 0, 0, 0, 0), "posix_spawn_file_actions_init");
        block.asSlice(FULL_SET, SIGSET_SIZE).fill((byte) 0xFF);
        long full = block.address() + FULL_SET;
        long empty = block.address() + EMPTY_SET;
        check(call(SETSIGDEFAULT, attr, full, 0, 0, 0, 0), "posix_spawnattr_setsigdefault");
        check(call(SETSIGMASK_, attr, empty, 0, 0, 0, 0), "posix_spawnattr_setsigmask");
    }

    /** Whether libc has {@code pidfd_spawn} (glibc 2.39). */
    static boolean hasPidfdSpawn() {
        return PIDFD_SPAWN != null;
    }

    /** Whether libc has {@code posix_spawnattr_setcgroup_np} (glibc 2.39). */
    static boolean hasSetcgroup() {
        return Rare.SETCGROUP != null;
    }

    /** Whether libc has {@code posix_spawn_file_actions_addclosefrom_np} (glibc 2.34). */
    static boolean hasClosefrom() {
        return ADDCLOSEFROM != null;
    }

    /** Whether libc has {@code posix_spawn_file_actions_addtcsetpgrp_np} (glibc 2.35). */
    static boolean hasTcsetpgrp() {
        return Rare.ADDTCSETPGRP != null;
    }

    /** A session of its own. */
    public void newSession() {
        flags |= SETSID;
    }

    /** A process group: 0 for one of its own. */
    public void processGroup(int group) {
        flags |= SETPGROUP;
        check(call(SETPGROUP_, attr, group, 0, 0, 0, 0), "posix_spawnattr_setpgroup");
    }

    /**
     * The cgroup that it is born in.
     *
     * @throws NotSupportedException before glibc 2.39
     */
    public void cgroup(Fd directory) {
        MethodHandle setcgroup = Rare.SETCGROUP;
        if (setcgroup == null) {
            throw new NotSupportedException("spawning into a cgroup", Feature.CLONE_INTO_CGROUP);
        }
        flags |= SETCGROUP;
        check(call(setcgroup, attr, borrow(directory), 0, 0, 0, 0), "posix_spawnattr_setcgroup_np");
    }

    /** The child enters an open directory. */
    public void fchdir(Fd directory) {
        check(
                call(Rare.ADDFCHDIR, actions, borrow(directory), 0, 0, 0, 0),
                "posix_spawn_file_actions_addfchdir_np");
    }

    /**
     * The child's process group becomes the foreground one of a terminal.
     *
     * @throws NotSupportedException before glibc 2.35
     */
    public void foreground(Fd terminal) {
        MethodHandle addtcsetpgrp = Rare.ADDTCSETPGRP;
        if (addtcsetpgrp == null) {
            throw new NotSupportedException("a terminal", Feature.SPAWN_FOREGROUND);
        }
        check(
                call(addtcsetpgrp, actions, borrow(terminal), 0, 0, 0, 0),
                "posix_spawn_file_actions_addtcsetpgrp_np");
    }

    /** What the child opens anew, and closes again, once its descriptors are in place. */
    public record Opening(Fd source, int oflag) {}

    /**
     * Gives the child exactly these descriptors, each under its number, opens and closes what is to
     * be opened, and closes everything else. The last action to add.
     *
     * @throws ErrnoException EMFILE
     * @throws NotSupportedException before glibc 2.34: it must not inherit what it was not given
     */
    public void descriptors(SortedMap<Integer, Fd> byTarget, List<Opening> openings) {
        MethodHandle addclosefrom = ADDCLOSEFROM;
        if (addclosefrom == null) {
            throw new NotSupportedException("starting a process", Feature.SPAWN_CLOSEFROM);
        }
        int end = byTarget.isEmpty() ? 0 : byTarget.lastKey() + 1;
        List<String> paths = new ArrayList<>(openings.size());
        for (Opening opening : openings) {
            paths.add("/proc/self/fd/" + borrow(opening.source, end + 1));
        }
        byTarget.forEach((target, source) -> {
            int number = borrow(source);
            if (number != target && number < end) { // overwritten before its turn
                release(source);
                number = borrow(source, end);
            }
            check(
                    call(ADDDUP2, actions, number, target, 0, 0, 0),
                    "posix_spawn_file_actions_adddup2");
        });
        for (int gap = 0; gap < end; gap++) {
            if (!byTarget.containsKey(gap)) {
                close(gap);
            }
        }
        for (int i = 0; i < openings.size(); i++) {
            open(end, paths.get(i), openings.get(i).oflag);
            close(end);
        }
        check(
                call(addclosefrom, actions, end, 0, 0, 0, 0),
                "posix_spawn_file_actions_addclosefrom_np");
    }

    private void open(int target, String path, int oflag) {
        MemorySegment name = string(path); // copied by libc
        check(
                call(Rare.ADDOPEN, actions, target, name.address(), oflag, 0, 0),
                "posix_spawn_file_actions_addopen");
    }

    private void close(int target) {
        check(call(ADDCLOSE, actions, target, 0, 0, 0, 0), "posix_spawn_file_actions_addclose");
    }

    /** A number for it that is not below {@code from}. */
    private int borrow(Fd fd, int from) {
        Fd above = Fd.adopt(Fcntl.dupfd(fd, from), "fcntl(F_DUPFD_CLOEXEC)", fd);
        owned.add(above);
        return borrow(above);
    }

    private void release(Fd fd) {
        borrowed.removeLast();
        fd.release();
    }

    private int borrow(Fd fd) {
        int number = fd.acquire();
        borrowed.add(fd);
        return number;
    }

    /** Strings as a NULL-ended array, for {@link #spawn}. */
    public MemorySegment strings(List<String> strings) {
        return strings(arena, strings);
    }

    /** The same in other memory, which may be of several threads. */
    public static MemorySegment strings(Arena arena, List<String> strings) {
        byte[][] bytes = new byte[strings.size()][];
        long size = 0;
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = CString.bytes(strings.get(i));
            size += bytes[i].length;
        }
        long table = 8L * (bytes.length + 1);
        MemorySegment array = arena.allocate(table + size, 8);
        long at = table;
        for (int i = 0; i < bytes.length; i++) {
            array.set(JAVA_LONG, 8L * i, array.address() + at);
            MemorySegment.copy(bytes[i], 0, array, JAVA_BYTE, at, bytes[i].length);
            at += bytes[i].length;
        }
        return array;
    }

    /**
     * Overwrites the value of an environment entry in place, in the child that is held before its
     * exec: until then it reads our memory.
     *
     * @param environment what {@link #strings} made
     * @param index which entry
     * @param offset bytes of name and equals sign
     * @param value no longer than what was there
     */
    public static void patch(MemorySegment environment, int index, int offset, String value) {
        long at = environment.get(JAVA_LONG, 8L * index) - environment.address() + offset;
        byte[] bytes = (value + '\0').getBytes(StandardCharsets.US_ASCII);
        MemorySegment.copy(bytes, 0, environment, JAVA_BYTE, at, bytes.length);
    }

    private MemorySegment string(String text) {
        byte[] bytes = CString.bytes(text);
        MemorySegment segment = arena.allocate(bytes.length);
        MemorySegment.copy(bytes, 0, segment, JAVA_BYTE, 0, bytes.length);
        return segment;
    }

    /**
     * {@code pidfd_spawn} (glibc 2.39): a number to adopt, or -errno. The calling thread sleeps
     * until the child has executed the program; call it on a platform thread.
     *
     * @param environment what {@link #strings} made, or null for the environment of this process
     */
    public int pidfdSpawn(
            String path, MemorySegment arguments, @Nullable MemorySegment environment) {
        MethodHandle spawn = PIDFD_SPAWN;
        if (spawn == null) {
            throw new NotSupportedException("pidfd_spawn", Feature.PIDFD_SPAWN);
        }
        return spawn(spawn, path, arguments, environment);
    }

    /**
     * {@code posix_spawn}: the number of the new process, or -errno. It names that process until
     * somebody waits for it.
     */
    public int spawn(String path, MemorySegment arguments, @Nullable MemorySegment environment) {
        return spawn(POSIX_SPAWN, path, arguments, environment);
    }

    private int spawn(
            MethodHandle function,
            String path,
            MemorySegment arguments,
            @Nullable MemorySegment environment) {
        check(call(SETFLAGS, attr, flags, 0, 0, 0, 0), "posix_spawnattr_setflags");
        int r =
                call(
                        function,
                        block.address() + RESULT,
                        string(path).address(),
                        actions,
                        attr,
                        arguments.address(),
                        environment == null ? Libc.environ() : environment.address());
        return r == 0 ? block.get(JAVA_INT, RESULT) : -r;
    }

    /** These functions return an errno value, not -1. */
    private static int call(MethodHandle function, long a, long b, long c, long d, long e, long f) {
        return Libc.intCall(function, a, b, c, d, e, f);
    }

    private static void check(int error, String call) {
        if (error != 0) {
            throw new ErrnoException(call, "", error);
        }
    }

    @Override
    public void close() {
        int actionsResult = call(ACTIONS_DESTROY, actions, 0, 0, 0, 0, 0);
        int attrResult = call(ATTR_DESTROY, attr, 0, 0, 0, 0, 0);
        arena.close();
        borrowed.forEach(Fd::release);
        owned.forEach(Fd::close);
        check(actionsResult, "posix_spawn_file_actions_destroy");
        check(attrResult, "posix_spawnattr_destroy");
    }
}
