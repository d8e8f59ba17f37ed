package io.holdfast.core.process;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.KernelFile;
import io.holdfast.core.sys.KernelPath;
import io.holdfast.core.sys.SysDirent;
import io.holdfast.core.sys.SysTime;
import io.holdfast.core.sys.Unistd;
import io.holdfast.core.sys.process.SysResource;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.StringTokenizer;
import java.util.function.Function;
import java.util.stream.IntStream;

/**
 * The attributes of a process that only {@code /proc/PID} has (proc(5)). Only this file reads them.
 *
 * <p>Every read opens the directory by PID, then checks through the pidfd that its process is still
 * unreaped: if so, the process had the PID all the time and the open directory is its directory,
 * which from then on returns ESRCH rather than the attributes of a successor. This is race-free on
 * every kernel from 5.3. The PID is the one in the mounted {@code /proc}, even if that belongs to
 * another PID namespace than ours. Other users' processes need a {@code /proc} without {@code
 * hidepid}.
 *
 * <p>Safe for use by any thread; each call reads a snapshot of its own, and blocks in the kernel
 * for a moment. Texts are UTF-8, whatever the locale; an invalid byte becomes a lone surrogate,
 * U+DC80 to U+DCFF.
 *
 * <p>All methods throw {@link ErrnoException}: ESRCH when the process is reaped, EREMOTE when it is
 * not in our PID namespace, EACCES where the kernel guards the attribute (ptrace(2), "access
 * mode").
 */
public final class Proc {
    private static final int LIMIT_NAME = 26; // the width of the first column of /proc/PID/limits
    private static final long NANOS_A_TICK = 10_000_000; // USER_HZ is 100 on every architecture

    private static final int EXIT_CODE = 49; // index among the fields after the name in stat

    // linux/sched.h
    private static final int PF_EXITING = 0x4;
    private static final int PF_FORKNOEXEC = 0x40;
    private static final int DIED_UNEXECUTED = PF_EXITING | PF_FORKNOEXEC;

    /**
     * How often the read is tried when the directory of a living process seems to belong to no
     * process: it was that of the leader, opened in the instant in which another thread took over
     * its PID by an exec.
     */
    private static final int LOOKS = 3;

    private static final String SOCKET = "socket:["; // then an inode number, in /proc/PID/fd

    private final PidFd pidFd;

    Proc(PidFd pidFd) {
        this.pidFd = pidFd;
    }

    /** {@return the command line; empty for a zombie and for kernel threads} */
    public List<String> commandLine() {
        return read(dir -> KernelFile.strings(dir, "cmdline"));
    }

    /**
     * {@return the beginning of the command line: a process can make it megabytes long, with
     * millions of words}
     *
     * @param most the number of bytes to read at most
     */
    public List<String> commandLine(int most) {
        return read(dir -> KernelFile.strings(dir, "cmdline", most));
    }

    /**
     * {@return the environment that it was started with, without later changes} Needs ptrace
     * access.
     */
    public Map<String, String> environment() {
        return environment(KernelFile.LIMIT);
    }

    /**
     * {@return the variables in the first bytes of the environment: a process can make it megabytes
     * long, with millions of variables}
     *
     * @param most the number of bytes to read at most
     */
    public Map<String, String> environment(int most) {
        Map<String, String> environment = new LinkedHashMap<>();
        for (String entry : read(dir -> KernelFile.strings(dir, "environ", most))) {
            int equals = entry.indexOf('=', 1);
            if (equals > 0) {
                environment.put(entry.substring(0, equals), entry.substring(equals + 1));
            }
        }
        return Collections.unmodifiableMap(environment);
    }

    /**
     * {@return the executable; its path ends in {@code " (deleted)"} if it was unlinked} The path
     * has the kernel's bytes in every locale, though its text may not show them. Needs ptrace
     * access.
     */
    public Path executable() {
        return KernelPath.of(read(dir -> Unistd.readlinkat(dir, "exe")));
    }

    /** {@return the working directory, in the form of {@link #executable}} Needs ptrace access. */
    public Path directory() {
        return KernelPath.of(read(dir -> Unistd.readlinkat(dir, "cwd")));
    }

    /**
     * Returns whether an unreaped child of this process has ended, or is about to end, without
     * executing a program. False where {@code /proc} does not show it; throws if there is no free
     * descriptor to read it with. Both flags count: a child that executes its program loses
     * PF_FORKNOEXEC only a little after its spawn has returned.
     */
    static boolean diedUnexecuted(PidFd child) {
        try {
            String stat = KernelFile.text(null, "/proc/" + child.pid() + "/stat"); // PID is pinned
            return (Long.parseLong(fields(stat)[6]) & DIED_UNEXECUTED) == DIED_UNEXECUTED;
        } catch (ErrnoException e) {
            if (e.errno() == Errno.EMFILE || e.errno() == Errno.ENFILE) {
                throw e;
            }
            return false;
        }
    }

    /**
     * {@return whether it has executed a program since it was forked; one that has not is a copy of
     * its parent, also after it has exited}
     */
    public boolean hasExecuted() {
        return (Long.parseLong(stat()[6]) & PF_FORKNOEXEC) == 0;
    }

    /** {@return the name of its main thread: at most 15 bytes} */
    public String name() {
        return read(dir -> KernelFile.text(dir, "comm"));
    }

    /** {@return whether {@code PR_SET_NO_NEW_PRIVS} is set} */
    public boolean noNewPrivileges() {
        return field("NoNewPrivs").equals("1");
    }

    /**
     * {@return the effective capabilities: bit n is set if it has the capability of that number
     * (capabilities(7), {@code linux/capability.h})}
     */
    public long effectiveCapabilities() {
        return Long.parseUnsignedLong(field("CapEff"), 16);
    }

    /**
     * Returns a soft limit of the process. Unlike prlimit(2) this needs no privilege for a process
     * of another user.
     *
     * @param resource the limited resource
     * @return unsigned; -1: no limit
     */
    public long softLimit(Resource resource) {
        return softLimit(read(dir -> KernelFile.text(dir, "limits")), resource);
    }

    /**
     * Reads a soft limit in a text of the kernel, which is empty if the process was just reaped.
     */
    static long softLimit(String limits, Resource resource) {
        if (limits.isEmpty()) {
            throw new ErrnoException("read", "/proc/PID/limits", Errno.ESRCH);
        }
        String line = limits.split("\n")[1 + resource.number()]; // the first names the columns
        String soft = line.substring(LIMIT_NAME).strip().split(" ")[0];
        return soft.equals("unlimited") ? SysResource.INFINITY : Long.parseUnsignedLong(soft);
    }

    /** {@return the supplementary groups, as our user namespace maps them} */
    public List<Long> groups() {
        List<Long> list = new ArrayList<>();
        for (StringTokenizer each = new StringTokenizer(field("Groups")); each.hasMoreTokens(); ) {
            list.add(Long.parseLong(each.nextToken()));
        }
        return Collections.unmodifiableList(list);
    }

    /**
     * {@return the time when it started, by the current clock: never later than the real start, and
     * earlier by at most the 10 ms of a tick and the duration of this call}
     */
    public Instant startTime() {
        long started = startTicks() * NANOS_A_TICK;
        Instant now = Instant.now(); // first: time that passes until the next call makes it earlier
        return now.minusNanos(SysTime.sinceBoot() - started);
    }

    /**
     * {@return when it started, in hundredths of a second since boot} It does not identify a
     * process: many may share it.
     */
    public long startTicks() {
        return Long.parseLong(stat()[19]);
    }

    /**
     * {@return the PIDs of its children now: to be sure of a child, open it and verify that its
     * parent is still this process} A child that came or went meanwhile may be missing.
     *
     * @throws ErrnoException also ENOENT where the kernel does not list children
     *     (CONFIG_PROC_CHILDREN)
     */
    public int[] children() {
        return read(dir -> {
            try (Fd threads = Fcntl.open(dir, "task", Fcntl.O_PATH | Fcntl.O_DIRECTORY, 0)) {
                List<String> names = SysDirent.directories(threads);
                IntStream.Builder numbers = IntStream.builder();
                int gone = 0;
                for (String thread : names) {
                    gone += childrenOf(threads, thread, numbers) ? 0 : 1;
                }
                if (gone > 0 && gone == names.size()) {
                    throw new ErrnoException("open", "task/TID/children", Errno.ENOENT);
                }
                return numbers.build().toArray();
            }
        });
    }

    /** Returns false if the thread has ended: its children now belong to another thread. */
    private static boolean childrenOf(Fd threads, String thread, IntStream.Builder numbers) {
        String children;
        try {
            children = KernelFile.text(threads, thread + "/children");
        } catch (ErrnoException e) {
            if (e.errno() == Errno.ENOENT || e.errno() == Errno.ESRCH) {
                return false;
            }
            throw e;
        }
        for (StringTokenizer each = new StringTokenizer(children); each.hasMoreTokens(); ) {
            numbers.add(Integer.parseInt(each.nextToken()));
        }
        return true;
    }

    /** {@return the id of its process group, for people} */
    public int processGroup() {
        return Integer.parseInt(stat()[2]);
    }

    /** {@return the id of its session, for people} */
    public int session() {
        return Integer.parseInt(stat()[3]);
    }

    /** {@return the device number of its controlling terminal; empty if it has none} */
    public OptionalInt terminal() {
        int device = Integer.parseInt(stat()[4]);
        return device == 0 ? OptionalInt.empty() : OptionalInt.of(device);
    }

    /**
     * {@return whether both processes are in one session and on its controlling terminal}
     *
     * <p>A session has at most one controlling terminal at a time, so its members that have one
     * have the same. The device number alone does not identify a terminal: each instance of devpts
     * counts from 0. A session id cannot be reused while a process is in the session, and a process
     * that leaves a session cannot come back; so if this process has the same session before and
     * after the other one is read, both are in that session.
     *
     * @param other the other process
     */
    public boolean sharesTerminal(PidFd other) {
        Place place = place();
        return place.terminal != 0 && place.equals(other.proc().place()) && place.equals(place());
    }

    /** The session and the device number of the controlling terminal, read at the same time. */
    private record Place(int session, int terminal) {}

    private Place place() {
        String[] stat = stat();
        return new Place(Integer.parseInt(stat[3]), Integer.parseInt(stat[4]));
    }

    /**
     * Returns how it ended, if it has ended and was not reaped. The kernel shows 0 instead of the
     * status to readers without ptrace access, so a 0 counts only if another attribute that needs
     * the same access can be read.
     *
     * @return {@link Exit.Unknown} if the kernel does not show us the status
     */
    Exit exitOfZombie() {
        try {
            return read(dir -> {
                String[] stat = fields(KernelFile.text(dir, "stat"));
                int status = Integer.parseInt(stat[EXIT_CODE]);
                boolean isShown = stat[0].equals("Z") && (status != 0 || isOpenToUs(dir));
                return isShown ? Exit.ofWaitStatus(status) : new Exit.Unknown();
            });
        } catch (ErrnoException | IllegalStateException e) {
            return new Exit.Unknown(); // reaped or closed meanwhile, or no /proc
        }
    }

    private static boolean isOpenToUs(Fd dir) {
        try {
            return !Unistd.readlinkat(dir, "ns/user").isEmpty();
        } catch (ErrnoException e) {
            return false;
        }
    }

    /**
     * {@return the inode numbers of its open sockets, each once} Needs ptrace access. Sockets that
     * it closes or opens meanwhile may be missing.
     */
    public Set<Long> sockets() {
        return read(dir -> {
            Set<Long> inodes = new LinkedHashSet<>();
            try (Fd folder = Fcntl.open(dir, "fd", Fcntl.O_RDONLY | Fcntl.O_DIRECTORY, 0)) {
                for (String name : SysDirent.names(folder, Integer.MAX_VALUE)) {
                    String target = linkOf(folder, name);
                    if (target.startsWith(SOCKET)) {
                        inodes.add(
                                Long.parseLong(
                                        target.substring(SOCKET.length(), target.length() - 1)));
                    }
                }
            }
            return inodes;
        });
    }

    /** Returns the target of a descriptor's link; empty if the process has closed it meanwhile. */
    private static String linkOf(Fd folder, String name) {
        try {
            return Unistd.readlinkat(folder, name);
        } catch (ErrnoException e) {
            if (e.errno() == Errno.ENOENT) {
                return "";
            }
            throw e;
        }
    }

    /**
     * {@return a table of the process's network namespace, as in {@code /proc/PID/net}}
     *
     * @param table {@code unix}, {@code tcp}, {@code tcp6}, {@code udp}, …
     * @throws ErrnoException also ENOENT if the kernel has no such table
     */
    public String network(String table) {
        return read(dir -> KernelFile.text(dir, "net/" + table));
    }

    /**
     * {@return its resident memory in bytes, shared memory included; 0 for a zombie and for kernel
     * threads, which have none}
     */
    public long residentBytes() {
        String status = status();
        return status.contains("\nVmRSS:") ? parseKilobytes(field(status, "VmRSS")) : 0;
    }

    private static long parseKilobytes(String field) {
        return Long.parseLong(field.substring(0, field.indexOf(' '))) << 10;
    }

    /** {@return the path of its cgroup in the v2 hierarchy, as in {@code /proc/PID/cgroup}} */
    public String cgroup() {
        String groups = read(dir -> KernelFile.text(dir, "cgroup"));
        for (String line : groups.split("\n")) {
            if (line.startsWith("0::")) {
                return line.substring(3);
            }
        }
        throw new ErrnoException("/proc/PID/cgroup", pidFd.toString(), Errno.ENODATA, "no cgroup2");
    }

    /** Parses the user and group ids, in the order of {@link Credentials}, from {@code status}. */
    Credentials credentials(String status) {
        long[] uids = ids(field(status, "Uid"));
        long[] gids = ids(field(status, "Gid"));
        return new Credentials(
                uids[0], uids[1], uids[2], uids[3], gids[0], gids[1], gids[2], gids[3]);
    }

    String status() {
        return read(dir -> KernelFile.text(dir, "status"));
    }

    static String field(String status, String key) {
        int at = ("\n" + status).indexOf("\n" + key + ":");
        if (at < 0) {
            throw new ErrnoException("/proc/PID/status", key, Errno.ENODATA);
        }
        int from = at + key.length() + 1;
        int end = status.indexOf('\n', from);
        return status.substring(from, end < 0 ? status.length() : end).strip();
    }

    /** Opens a file of the directory. */
    Fd open(String name, int flags) {
        return read(dir -> Fcntl.open(dir, name, flags, 0));
    }

    /** Writes a file of the directory; returns 0 or -errno. */
    int write(String name, String text) {
        return read(dir -> KernelFile.write(dir, name, text));
    }

    private String field(String key) {
        return read(dir -> field(KernelFile.text(dir, "status"), key));
    }

    private static long[] ids(String field) {
        StringTokenizer parts = new StringTokenizer(field);
        long[] ids = new long[4];
        for (int i = 0; i < 4; i++) {
            ids[i] = Long.parseLong(parts.nextToken());
        }
        return ids;
    }

    /**
     * Returns the fields of {@code stat} from the third on: the second, the name, may contain
     * anything.
     */
    private String[] stat() {
        return fields(read(dir -> KernelFile.text(dir, "stat")));
    }

    private static String[] fields(String stat) {
        return stat.substring(stat.lastIndexOf(')') + 2).split(" ");
    }

    /** Returns its PID in the PID namespace of the mounted {@code /proc}, which may not be ours. */
    private int number() {
        int pid = FdInfo.of(pidFd.fd()).number(FdInfo.PID);
        if (pid <= 0) {
            throw new ErrnoException("fdinfo", FdInfo.PID, pid == 0 ? Errno.EREMOTE : Errno.ESRCH);
        }
        return pid;
    }

    /**
     * Calls the function with the verified directory. An exception that it throws names the
     * process.
     */
    private <R> R read(Function<Fd, R> use) {
        for (int look = 1; ; look++) {
            try (Fd dir = Fcntl.open("/proc/" + number(), Fcntl.O_PATH | Fcntl.O_DIRECTORY)) {
                pidFd.requireUnreaped("/proc/PID");
                return use.apply(dir);
            } catch (ErrnoException e) {
                if (e.errno() != Errno.ENOENT && e.errno() != Errno.ESRCH) {
                    throw e.of(pidFd);
                }
                pidFd.requireUnreaped(e.call());
                if (look == LOOKS) { // the directory is missing, or hidden
                    throw e.of(pidFd);
                }
            }
        }
    }
}
