package io.holdfast.core.sys.process;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.Feature;
import io.holdfast.core.NotSupportedException;
import io.holdfast.core.Signal;
import io.holdfast.core.sys.CString;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.Libc;
import io.holdfast.core.sys.Pool;
import io.holdfast.core.sys.Scratch;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.SortedMap;
import org.jspecify.annotations.Nullable;

/**
 * {@code spawn.h}: one program to start, as attributes, file actions, arguments and environment in
 * native memory. Used by one thread, started at most once, closed afterwards.
 *
 * <p>The child starts with an empty signal mask and default dispositions, whatever the JVM has set.
 *
 * <p>Setting these up costs as much as a good part of the spawn while the code is not hot, so
 * attributes are used again, and a child that only inherits our standard streams has file actions
 * that are made once.
 */
public final class PosixSpawn implements AutoCloseable {
    /**
     * Our standard streams, which nobody closes: the numbers themselves, whatever is behind them.
     * Under its own number a child inherits each without any work.
     */
    public static final List<Fd> STANDARD = List.of(Fd.adopt(0), Fd.adopt(1), Fd.adopt(2));

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

    // what a call needs, in one block: the number that it gives, and the arguments behind it
    private static final int RESULT = 0;
    private static final int ARGUMENTS = 8;

    private static final Libc.Function ATTR_INIT = Libc.bind("posix_spawnattr_init");
    private static final Libc.Function SETFLAGS = Libc.bind("posix_spawnattr_setflags");
    private static final Libc.Function SETSIGMASK_ = Libc.bind("posix_spawnattr_setsigmask");
    private static final Libc.Function SETSIGDEFAULT = Libc.bind("posix_spawnattr_setsigdefault");
    private static final Libc.Function SETPGROUP_ = Libc.bind("posix_spawnattr_setpgroup");
    private static final Libc.Function ACTIONS_INIT = Libc.bind("posix_spawn_file_actions_init");
    private static final Libc.Function ACTIONS_DESTROY =
            Libc.bind("posix_spawn_file_actions_destroy");
    private static final Libc.Function ADDDUP2 = Libc.bind("posix_spawn_file_actions_adddup2");
    private static final Libc.Function ADDCLOSE = Libc.bind("posix_spawn_file_actions_addclose");
    private static final Libc.@Nullable Function ADDCLOSEFROM =
            Libc.find("posix_spawn_file_actions_addclosefrom_np");
    private static final Libc.Function POSIX_SPAWN = Libc.bind("posix_spawn");
    private static final Libc.@Nullable Function PIDFD_SPAWN = Libc.find("pidfd_spawn");

    private static final Libc.@Nullable Function SETCGROUP_ =
            Libc.find("posix_spawnattr_setcgroup_np");
    private static final Libc.Function ADDOPEN = Libc.bind("posix_spawn_file_actions_addopen");
    private static final Libc.Function ADDCHDIR = Libc.bind("posix_spawn_file_actions_addchdir_np");
    private static final Libc.Function ADDFCHDIR =
            Libc.bind("posix_spawn_file_actions_addfchdir_np");
    private static final Libc.@Nullable Function ADDTCSETPGRP =
            Libc.find("posix_spawn_file_actions_addtcsetpgrp_np");

    /**
     * {@code posix_spawnattr_t} with the signals set, used again and again by one spawn at a time.
     * In glibc and musl it holds nothing but itself.
     */
    private static final class Attributes {
        private static final Pool<Attributes> POOL = new Pool<>(16, Attributes::new);

        private final MemorySegment attr = Arena.ofAuto().allocate(ATTR_SIZE, 16);
        private int flags;
        private boolean pipeIgnored;

        private Attributes() {
            check(call(ATTR_INIT, attr.address(), 0, 0, 0, 0, 0), "posix_spawnattr_init");
            try (Arena arena = Arena.ofConfined()) { // libc copies the sets
                MemorySegment set = arena.allocate(SIGSET_SIZE, 16);
                set(SETSIGMASK_, set.address(), "posix_spawnattr_setsigmask");
                set.fill((byte) 0xFF);
                set(SETSIGDEFAULT, set.address(), "posix_spawnattr_setsigdefault");
            }
        }

        static Attributes take() {
            return POOL.take();
        }

        /** Gives them back; the caller forgets them. */
        void release() {
            POOL.release(this);
        }

        /** Whether SIGPIPE keeps the disposition of this process, or gets the default one. */
        void pipeIgnored(boolean wanted) {
            if (pipeIgnored != wanted) {
                try (Arena arena = Arena.ofConfined()) { // libc copies the set
                    MemorySegment set = arena.allocate(SIGSET_SIZE, 16).fill((byte) 0xFF);
                    if (wanted) {
                        int bit = Signal.PIPE.number() - 1;
                        set.set(JAVA_LONG, 0, ~(1L << bit));
                    }
                    set(SETSIGDEFAULT, set.address(), "posix_spawnattr_setsigdefault");
                }
                pipeIgnored = wanted;
            }
        }

        void flags(int wanted) {
            if (flags != wanted) {
                set(SETFLAGS, wanted, "posix_spawnattr_setflags");
                flags = wanted;
            }
        }

        void set(Libc.Function function, long value, String name) {
            check(call(function, attr.address(), value, 0, 0, 0, 0), name);
        }
    }

    /**
     * The file actions of a child that has our standard streams and nothing else; never changed.
     */
    private static final class Inheriting {
        static final long ACTIONS = make();

        private static long make() {
            long actions = Arena.global().allocate(ACTIONS_SIZE, 16).address();
            check(call(ACTIONS_INIT, actions, 0, 0, 0, 0, 0), "posix_spawn_file_actions_init");
            closeFrom(actions, STANDARD.size());
            return actions;
        }
    }

    private final List<Fd> borrowed = new ArrayList<>();
    private final List<Fd> owned = new ArrayList<>();
    private final Arena arena = Arena.ofConfined(); // for what not every spawn needs
    private long ownActions; // their address, 0 without
    private long actions;
    private int flags = SETSIGDEF | SETSIGMASK;
    private boolean pipeIgnored;
    private @Nullable NamespaceEntry entry;
    private int group;
    private int cgroup;

    /** Nothing yet: without {@link #descriptors} the child would inherit what is inheritable. */
    public PosixSpawn() {}

    /** Whether libc has {@code pidfd_spawn} (glibc 2.39). */
    public static boolean hasPidfdSpawn() {
        return PIDFD_SPAWN != null;
    }

    /** Whether libc has {@code posix_spawnattr_setcgroup_np} (glibc 2.39). */
    public static boolean hasSetcgroup() {
        return SETCGROUP_ != null;
    }

    /** Whether libc has {@code posix_spawn_file_actions_addclosefrom_np} (glibc 2.34). */
    public static boolean hasClosefrom() {
        return ADDCLOSEFROM != null;
    }

    /** Whether libc has {@code posix_spawn_file_actions_addtcsetpgrp_np} (glibc 2.35). */
    public static boolean hasTcsetpgrp() {
        return ADDTCSETPGRP != null;
    }

    /** SIGPIPE is ignored, which a program keeps when it is executed. */
    public void ignorePipe() {
        pipeIgnored = true;
    }

    /** A session of its own. */
    public void newSession() {
        flags |= SETSID;
    }

    /** A process group: 0 for one of its own. */
    public void processGroup(int group) {
        flags |= SETPGROUP;
        this.group = group;
    }

    /**
     * The cgroup that it is born in.
     *
     * @throws NotSupportedException before glibc 2.39
     */
    public void cgroup(Fd directory) {
        if (SETCGROUP_ == null) {
            throw new NotSupportedException("spawning into a cgroup", Feature.CLONE_INTO_CGROUP);
        }
        flags |= SETCGROUP;
        cgroup = borrow(directory);
    }

    /** The child enters an open directory. */
    public void fchdir(Fd directory) {
        add(ADDFCHDIR, borrow(directory), 0, 0, 0, "addfchdir_np");
    }

    /** The child enters a directory, by its path as the child sees it. */
    public void chdir(String directory) {
        MemorySegment path = string(directory); // copied by libc
        add(ADDCHDIR, path.address(), 0, 0, 0, "addchdir_np");
    }

    /** The child is spawned from where this leads; lent until it is spawned. */
    public void from(NamespaceEntry entry) {
        this.entry = entry;
    }

    /**
     * The child's process group becomes the foreground one of a terminal.
     *
     * @throws NotSupportedException before glibc 2.35
     */
    public void foreground(Fd terminal) {
        Libc.Function addtcsetpgrp = ADDTCSETPGRP;
        if (addtcsetpgrp == null) {
            throw new NotSupportedException("a terminal", Feature.SPAWN_FOREGROUND);
        }
        add(addtcsetpgrp, borrow(terminal), 0, 0, 0, "addtcsetpgrp_np");
    }

    /** What the child opens anew, and closes again, once its descriptors are in place. */
    public record Opening(Fd source, int oflag) {}

    /**
     * Gives the child exactly these descriptors, each under its number, and closes everything else;
     * then it opens and closes what is to be opened. The last action to add. A child that waits in
     * an open has nothing of ours that it was not given.
     *
     * @param byTarget with those of {@link #STANDARD} that it inherits under their own number
     * @throws ErrnoException EMFILE
     * @throws NotSupportedException before glibc 2.34: it must not inherit what it was not given
     */
    public void descriptors(SortedMap<Integer, Fd> byTarget, List<Opening> openings) {
        Feature.SPAWN_CLOSEFROM.require("starting a process");
        if (actions == 0 && openings.isEmpty() && isInheriting(byTarget)) {
            actions = Inheriting.ACTIONS;
            return;
        }
        int end = byTarget.isEmpty() ? 0 : byTarget.lastKey() + 1;
        // the sources of the openings come to lie behind the number that they are opened under
        int sources = end + 1;
        int above = sources + openings.size();
        List<Integer> openingNumbers = new ArrayList<>(openings.size());
        for (Opening opening : openings) {
            openingNumbers.add(borrow(opening.source, above));
        }
        byTarget.forEach((target, source) -> dup(source, target, byTarget, end));
        for (int gap = 0; gap < end; gap++) {
            if (!byTarget.containsKey(gap)) {
                close(gap);
            }
        }
        if (!openings.isEmpty()) {
            for (int i = 0; i < openings.size(); i++) {
                add(ADDDUP2, openingNumbers.get(i), sources + i, 0, 0, "adddup2");
            }
            closeFrom(actions(), above);
            for (int i = 0; i < openings.size(); i++) {
                open(end, "/proc/self/fd/" + (sources + i), openings.get(i).oflag);
                close(end);
            }
        }
        closeFrom(actions(), end);
    }

    private void dup(Fd source, int target, SortedMap<Integer, Fd> byTarget, int end) {
        if (isInherited(target, source)) {
            return;
        }
        int number = borrow(source);
        Fd earlier = number < target ? byTarget.get(number) : null;
        if (earlier != null && !isInherited(number, earlier)) { // overwritten before its turn
            release(source);
            number = borrow(source, end);
        }
        add(ADDDUP2, number, target, 0, 0, "adddup2");
    }

    private static boolean isInheriting(SortedMap<Integer, Fd> byTarget) {
        int inherited = 0;
        for (int i = 0; i < STANDARD.size(); i++) {
            Fd source = byTarget.get(i);
            inherited += source != null && isInherited(i, source) ? 1 : 0;
        }
        return inherited == STANDARD.size() && byTarget.size() == inherited;
    }

    @SuppressWarnings("ReferenceEquality") // the very one
    private static boolean isInherited(int target, Fd source) {
        return target < STANDARD.size() && STANDARD.get(target) == source;
    }

    private void open(int target, String path, int oflag) {
        MemorySegment name = string(path); // copied by libc
        add(ADDOPEN, target, name.address(), oflag, 0, "addopen");
    }

    private void close(int target) {
        add(ADDCLOSE, target, 0, 0, 0, "addclose");
    }

    private static void closeFrom(long actions, int from) {
        Libc.Function addclosefrom = Objects.requireNonNull(ADDCLOSEFROM);
        check(
                call(addclosefrom, actions, from, 0, 0, 0, 0),
                "posix_spawn_file_actions_addclosefrom_np");
    }

    private void add(Libc.Function function, long a, long b, long c, long d, String name) {
        int error = call(function, actions(), a, b, c, d, 0);
        if (error != 0) {
            check(error, "posix_spawn_file_actions_" + name);
        }
    }

    private long actions() {
        if (ownActions == 0) {
            long address = arena.allocate(ACTIONS_SIZE, 16).address();
            check(call(ACTIONS_INIT, address, 0, 0, 0, 0, 0), "posix_spawn_file_actions_init");
            ownActions = address;
            actions = address;
        }
        return ownActions;
    }

    /** A number for it that is not below {@code from}. */
    private int borrow(Fd fd, int from) {
        int number = borrow(fd);
        if (number >= from) {
            return number;
        }
        release(fd);
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

    /** An environment, of {@code NAME=value} strings. */
    public MemorySegment strings(List<String> strings) {
        return strings(arena, strings);
    }

    /** The same in other memory, which may be of several threads. */
    public static MemorySegment strings(Arena arena, List<String> strings) {
        byte[][] bytes = bytes(strings);
        MemorySegment array = arena.allocate(sizeOf(bytes), 8);
        int ignored = put(buffer(array), array.address(), 0, bytes);
        return array;
    }

    private static ByteBuffer buffer(MemorySegment memory) {
        return memory.asByteBuffer().order(ByteOrder.nativeOrder());
    }

    private static byte[][] bytes(List<String> strings) {
        byte[][] bytes = new byte[strings.size()][];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = CString.bytes(strings.get(i));
        }
        return bytes;
    }

    private static long sizeOf(byte[][] strings) {
        long size = 8L * (strings.length + 1);
        for (byte[] string : strings) {
            size += string.length;
        }
        return size;
    }

    /** Writes a NULL-ended array, and its strings behind it; returns where they end. */
    private static int put(ByteBuffer memory, long address, int array, byte[][] strings) {
        int at = array + 8 * (strings.length + 1);
        for (int i = 0; i < strings.length; i++) {
            memory.putLong(array + 8 * i, address + at);
            memory.put(at, strings[i]);
            at += strings[i].length;
        }
        memory.putLong(array + 8 * strings.length, 0);
        return at;
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
     * @param arguments from {@code argv[0]} on
     * @param environment what {@link #strings} made, or null for the environment of this process
     */
    public int pidfdSpawn(
            String path, List<String> arguments, @Nullable MemorySegment environment) {
        Libc.Function spawn = PIDFD_SPAWN;
        if (spawn == null) {
            throw new NotSupportedException("pidfd_spawn", Feature.PIDFD_SPAWN);
        }
        return spawn(spawn, path, arguments, environment);
    }

    /**
     * {@code posix_spawn}: the number of the new process, or -errno. It names that process until
     * somebody waits for it.
     */
    public int spawn(String path, List<String> arguments, @Nullable MemorySegment environment) {
        return spawn(POSIX_SPAWN, path, arguments, environment);
    }

    private int spawn(
            Libc.Function function,
            String file,
            List<String> arguments,
            @Nullable MemorySegment environment) {
        byte[] program = CString.bytes(file);
        byte[][] words = bytes(arguments);
        long size = ARGUMENTS + sizeOf(words) + program.length;
        Attributes attributes = attributes();
        Scratch scratch = Scratch.take();
        if (pipeIgnored) {
            SignalDispositions.ignorePipe();
        }
        try {
            MemorySegment own = size <= Scratch.SIZE ? null : arena.allocate(size, 8);
            ByteBuffer memory = own == null ? scratch.bytes : buffer(own);
            long address = own == null ? scratch.address : own.address();
            int programAt = put(memory, address, ARGUMENTS, words);
            memory.put(programAt, program);
            long variables = environment == null ? Libc.environ() : environment.address();
            long result = address + RESULT;
            long path = address + programAt;
            long argv = address + ARGUMENTS;
            long attr = attributes.attr.address();
            int r;
            if (entry == null) {
                r =
                        Libc.intCall(
                                function,
                                scratch.errno,
                                result,
                                path,
                                actions,
                                attr,
                                argv,
                                variables);
            } else {
                var _ = function.symbol(); // no class is loaded between enter and leave
                entry.prepare();
                r = Errno.EPERM;
                if (entry.enter()) {
                    r =
                            Libc.intCall(
                                    function,
                                    scratch.errno,
                                    result,
                                    path,
                                    actions,
                                    attr,
                                    argv,
                                    variables);
                }
                entry.leave();
            }
            return r == 0 ? memory.getInt(RESULT) : -r; // an errno value, not -1
        } finally {
            if (pipeIgnored) {
                SignalDispositions.restorePipe();
            }
            scratch.release();
            attributes.release();
            Reference.reachabilityFence(environment);
        }
    }

    private Attributes attributes() {
        Attributes attributes = Attributes.take();
        attributes.flags(flags);
        attributes.pipeIgnored(pipeIgnored);
        if ((flags & SETPGROUP) != 0) {
            attributes.set(SETPGROUP_, group, "posix_spawnattr_setpgroup");
        }
        Libc.@Nullable Function setcgroup = (flags & SETCGROUP) == 0 ? null : SETCGROUP_;
        if (setcgroup != null) {
            attributes.set(setcgroup, cgroup, "posix_spawnattr_setcgroup_np");
        }
        return attributes;
    }

    /** These functions return an errno value, not -1. */
    private static int call(
            Libc.Function function, long a, long b, long c, long d, long e, long f) {
        return Libc.intCall(function, a, b, c, d, e, f);
    }

    private static void check(int error, String call) {
        if (error != 0) {
            throw new ErrnoException(call, "", error);
        }
    }

    @Override
    public void close() {
        if (ownActions != 0) {
            int ignored = call(ACTIONS_DESTROY, ownActions, 0, 0, 0, 0, 0); // it only frees
        }
        arena.close();
        borrowed.forEach(Fd::release);
        owned.forEach(Fd::close);
    }
}
