package io.holdfast.core.sys.process;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.Feature;
import io.holdfast.core.NotSupportedException;
import io.holdfast.core.Signal;
import io.holdfast.core.limit.CoreLimits;
import io.holdfast.core.sys.CString;
import io.holdfast.core.sys.Libc;
import io.holdfast.core.sys.Scratch;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * {@code spawn.h}: one program to start, as attributes, file actions, arguments and environment in
 * native memory. A {@link SpawnThread} makes the call. Used by one thread, started at most once,
 * closed afterwards.
 *
 * <p>The child starts with an empty signal mask and default dispositions, whatever the JVM has set.
 */
public final class PosixSpawn implements AutoCloseable {
    /** The number of standard streams. */
    public static final int STREAMS = 3;

    /** The standard streams of this process, which nobody closes. */
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

    private final ChildTable table;
    private final ThreadAttributes ofThread;
    private final Arena arena = Arena.ofConfined(); // for what not every spawn needs
    private long actions; // their address, 0 without
    private int flags = SETSIGDEF | SETSIGMASK;
    private boolean pipeIgnored;
    private boolean outlivesChild;
    private @Nullable NamespaceEntry entry;
    private @Nullable Fd processes; // the folder /proc of this process
    private @Nullable String directory;
    private @Nullable Consumer<Beginning> beginning;
    private List<Opening> openings = List.of();
    private int group;
    private int cgroup;

    /**
     * Creates a description of a child without attributes.
     *
     * @param table the descriptors of the child, complete before the spawn; lent until this is
     *     closed
     * @param ofThread the attributes of the thread that spawns it, complete before the spawn
     */
    public PosixSpawn(ChildTable table, ThreadAttributes ofThread) {
        this.table = table;
        this.ofThread = ofThread;
    }

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
        cgroup = table.add(directory);
    }

    /** The child enters an open directory. */
    public void fchdir(Fd directory) {
        add(ADDFCHDIR, table.add(directory), 0, 0, 0, "addfchdir_np");
    }

    /**
     * Spawns the child in these namespaces, where {@code /proc} may be another one or none: until
     * it has opened its files, its working directory is our own {@code /proc}.
     *
     * @param entry lent until the spawn has returned, like the folder
     * @param processes the folder {@code /proc}
     * @param directory that the child then enters, by its path as the child sees it; null: it stays
     *     in {@code /proc}
     */
    public void from(NamespaceEntry entry, Fd processes, @Nullable String directory) {
        this.entry = entry;
        this.processes = processes;
        this.directory = directory;
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
        add(addtcsetpgrp, table.add(terminal), 0, 0, 0, "addtcsetpgrp_np");
    }

    /** Keeps the thread that spawns alive until the child has exited, for PR_SET_PDEATHSIG. */
    public void outliveChild() {
        outlivesChild = true;
    }

    /**
     * The thread that is about to spawn the child.
     *
     * @param thread its TID
     * @param table its descriptor table, as a pidfd of it; lent until the spawn has returned
     * @param child the number under which that table gets the pidfd of the child when it is born;
     *     -1: it gets none, but then the child will be the only one of the thread
     */
    public record Beginning(int thread, Fd table, int child) {}

    /** Sets what is called just before the child is spawned. */
    public void beginning(Consumer<Beginning> callback) {
        beginning = callback;
    }

    /** A file that the child opens and closes before it executes the program. */
    public record Opening(Fd source, int oflag) {}

    /**
     * Has the child open and close files, once its descriptors are in place. A child that waits in
     * such an open has only the descriptors that it was given and those that the start needs.
     */
    public void open(List<Opening> openings) {
        this.openings = openings;
    }

    /** Adds the file actions that put the descriptors to their numbers; the last ones to add. */
    private void addDescriptors(boolean own) {
        for (Map.Entry<Integer, Fd> each : table.byTarget().entrySet()) {
            if (!ChildTable.isClosedStandard(each.getValue())) {
                add(ADDDUP2, table.add(each.getValue()), each.getKey(), 0, 0, "adddup2");
            }
        }
        if (processes != null) {
            fchdir(processes);
        }
        int firstSource = table.end();
        for (Opening opening : openings) {
            int ignored = table.add(opening.source);
        }
        int free = table.end();
        if (!own) {
            Feature.SPAWN_CLOSEFROM.require("starting a process");
            add(Objects.requireNonNull(ADDCLOSEFROM), free, 0, 0, 0, "addclosefrom_np");
        }
        for (int i = 0; i < openings.size(); i++) {
            String file = descriptorPath(firstSource + i, processes != null);
            MemorySegment name = string(file); // copied by libc
            add(ADDOPEN, free, name.address(), openings.get(i).oflag, 0, "addopen");
            add(ADDCLOSE, free, 0, 0, 0, "addclose");
        }
        if (directory != null) {
            MemorySegment path = string(directory); // copied by libc
            add(ADDCHDIR, path.address(), 0, 0, 0, "addchdir_np");
        }
    }

    /**
     * Returns the path of a descriptor for the process itself.
     *
     * @param inProcesses whether its working directory is {@code /proc}
     */
    public static String descriptorPath(int number, boolean inProcesses) {
        return (inProcesses ? "" : "/proc/") + "self/fd/" + number;
    }

    private void add(Libc.Function function, long a, long b, long c, long d, String name) {
        int error = Libc.intCall(function, actions(), a, b, c, d, 0);
        if (error != 0) {
            check(error, "posix_spawn_file_actions_" + name);
        }
    }

    private long actions() {
        if (actions == 0) {
            long address = arena.allocate(ACTIONS_SIZE, 16).address();
            check(
                    Libc.intCall(ACTIONS_INIT, address, 0, 0, 0, 0, 0),
                    "posix_spawn_file_actions_init");
            actions = address;
        }
        return actions;
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
        return arena.allocateFrom(JAVA_BYTE, CString.bytes(text));
    }

    /**
     * Spawns the child by {@code pidfd_spawn}, or where that is missing by {@code posix_spawn}.
     * Returns when the child has executed the program.
     *
     * @param arguments from {@code argv[0]} on
     * @param environment what {@link #strings} made, or null for the environment of this process
     * @return the number of its pidfd, to adopt, or -errno
     * @throws ErrnoException EMFILE, also after the child was born and killed
     * @throws OutOfMemoryError if no thread can be started
     */
    public int spawn(String path, List<String> arguments, @Nullable MemorySegment environment) {
        Libc.Function function =
                Feature.PIDFD_SPAWN.isPresent() ? Objects.requireNonNull(PIDFD_SPAWN) : POSIX_SPAWN;
        boolean own = Feature.OWN_TABLE.isPresent() && SpawnThread.haveUserOfCaller();
        boolean pidfdIsSeen = own && function != POSIX_SPAWN; // while the thread waits
        boolean once =
                outlivesChild
                        || entry != null
                        || !ofThread.areSetAgain()
                        || (beginning != null && !pidfdIsSeen);
        addDescriptors(own);
        try (SpawnThread thread = SpawnThread.take(own, once, ofThread.kinds());
                Fd opened = thread.open(function != POSIX_SPAWN)) {
            int result;
            try (Fd _ = opened.duplicate()) { // a number for the pidfd of the child
                if (beginning != null) {
                    beginning.accept(new Beginning(thread.id(), opened, once ? -1 : table.end()));
                }
                result = spawn(thread, function, path, arguments, environment);
            }
            int pidfd = result < 0 ? result : thread.pidfd(opened);
            if (pidfd < 0 && result >= 0) {
                throw new ErrnoException(
                        "pidfd_open",
                        "child " + path,
                        -pidfd,
                        CoreLimits.withoutDescriptor("it was killed"));
            }
            return pidfd;
        }
    }

    private int spawn(
            SpawnThread thread,
            Libc.Function function,
            String file,
            List<String> arguments,
            @Nullable MemorySegment environment) {
        byte[] program = CString.bytes(file);
        byte[][] words = bytes(arguments);
        long size = ARGUMENTS + sizeOf(words) + program.length;
        long attributes = attributes();
        Scratch scratch = Scratch.take();
        if (pipeIgnored) {
            SignalDispositions.ignorePipe();
        }
        try {
            MemorySegment large = size <= Scratch.SIZE ? null : arena.allocate(size, 8);
            ByteBuffer memory = large == null ? scratch.bytes : buffer(large);
            long address = large == null ? scratch.address : large.address();
            int programAt = put(memory, address, ARGUMENTS, words);
            memory.put(programAt, program);
            var _ = function.symbol(); // looked up before the thread has a table of its own
            if (entry != null) {
                entry.prepare();
            }
            SpawnCall call =
                    new SpawnCall(
                            table,
                            ofThread,
                            entry,
                            function,
                            function != POSIX_SPAWN,
                            scratch.errno,
                            scratch.bytes,
                            scratch.address + RESULT,
                            address + programAt,
                            actions,
                            attributes,
                            address + ARGUMENTS,
                            environment == null ? Libc.environ() : environment.address());
            return thread.spawn(call, outlivesChild);
        } finally {
            if (pipeIgnored) {
                SignalDispositions.restorePipe();
            }
            scratch.release();
            Reference.reachabilityFence(environment);
        }
    }

    /** Makes a {@code posix_spawnattr_t}, which in glibc and musl holds nothing but itself. */
    private long attributes() {
        long attributes = arena.allocate(ATTR_SIZE, 16).address();
        set(ATTR_INIT, attributes, 0, "init");
        MemorySegment signals = arena.allocate(SIGSET_SIZE, 16); // libc copies it
        set(SETSIGMASK_, attributes, signals.address(), "setsigmask");
        ByteBuffer defaults = buffer(signals);
        long all = -1;
        defaults.putLong(0, pipeIgnored ? all & ~(1L << (Signal.PIPE.number() - 1)) : all);
        set(SETSIGDEFAULT, attributes, signals.address(), "setsigdefault");
        set(SETFLAGS, attributes, flags, "setflags");
        if ((flags & SETPGROUP) != 0) {
            set(SETPGROUP_, attributes, group, "setpgroup");
        }
        Libc.@Nullable Function setcgroup = (flags & SETCGROUP) == 0 ? null : SETCGROUP_;
        if (setcgroup != null) {
            set(setcgroup, attributes, cgroup, "setcgroup_np");
        }
        return attributes;
    }

    private static void set(Libc.Function function, long attributes, long value, String name) {
        // such a function returns an errno value, not -1
        int error = Libc.intCall(function, attributes, value, 0, 0, 0, 0);
        if (error != 0) {
            check(error, "posix_spawnattr_" + name);
        }
    }

    private static void check(int error, String call) {
        if (error != 0) {
            throw new ErrnoException(call, "", error);
        }
    }

    @Override
    public void close() {
        if (actions != 0) {
            int ignored = Libc.intCall(ACTIONS_DESTROY, actions, 0, 0, 0, 0, 0); // it only frees
        }
        arena.close();
    }
}
