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
 * Attributes of a process that only {@code /proc/PID} has (proc(5)). This is the one file that
 * reads it.
 *
 * <p>Every read opens the folder by number, then asks the pidfd whether its process is still
 * unreaped: if so, the number was its own all the time and the open folder is its folder, which
 * from then on answers ESRCH rather than for a successor. Race-free on every kernel from 5.3, and
 * the number is that of the mounted {@code /proc}, be it of another PID namespace than ours. Needs
 * one without {@code hidepid} for other users' processes. Safe for use by any thread; each call is
 * of a moment of its own, and blocks in the kernel for a moment. Texts are UTF-8, whatever the
 * locale; a byte that is none stands as a lone surrogate, U+DC80 to U+DCFF.
 *
 * <p>All methods throw {@link ErrnoException}: ESRCH when the process is reaped, EREMOTE when it is
 * not of our PID namespace, EACCES where the kernel guards the attribute (ptrace(2), "access
 * mode").
 */
public final class Proc {
    private static final long NANOS_A_TICK = 10_000_000; // USER_HZ is 100 on every architecture

    private static final int EXIT_CODE = 49; // of what follows the name in stat

    // linux/sched.h
    private static final int PF_EXITING = 0x4;
    private static final int PF_FORKNOEXEC = 0x40;
    private static final int DIED_UNEXECUTED = PF_EXITING | PF_FORKNOEXEC;

    /**
     * How often a folder of a living process is looked into that seems to be nobody's: it was that
     * of the leader, opened in the instant in which another thread took its number over by an exec.
     */
    private static final int LOOKS = 3;

    private static final String SOCKET = "socket:["; // and an inode number, in /proc/PID/fd

    private final PidFd pidFd;

    Proc(PidFd pidFd) {
        this.pidFd = pidFd;
    }

    /** {@return the command line; empty for a zombie and for kernel threads} */
    public List<String> commandLine() {
        return read(dir -> KernelFile.strings(dir, "cmdline"));
    }

    /**
     * {@return the beginning of the command line: a process can make it megabytes long, of millions
     * of words}
     *
     * @param most bytes
     */
    public List<String> commandLine(int most) {
        return read(dir -> KernelFile.strings(dir, "cmdline", most));
    }

    /**
     * {@return the environment that it was started with; later changes are not seen} Guarded as
     * ptrace is.
     */
    public Map<String, String> environment() {
        return environment(KernelFile.LIMIT);
    }

    /**
     * {@return the variables that the first bytes of the environment hold: a process can make it
     * megabytes long, of millions of variables}
     *
     * @param most bytes
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
     * has the kernel's bytes in every locale, though its text may not show them. Guarded as ptrace
     * is.
     */
    public Path executable() {
        return KernelPath.of(read(dir -> Unistd.readlinkat(dir, "exe")));
    }

    /** {@return the working directory, as {@link #executable}} Guarded as ptrace is. */
    public Path directory() {
        return KernelPath.of(read(dir -> Unistd.readlinkat(dir, "cwd")));
    }

    /**
     * Whether a child of ours that nobody has reaped has ended, or is about to, without executing a
     * program. False where {@code /proc} does not tell; throws where we have no descriptor to ask
     * with. Both flags count: one that executes loses PF_FORKNOEXEC a little after its spawn has
     * returned.
     */
    static boolean diedUnexecuted(PidFd child) {
        try {
            String stat = KernelFile.text(null, "/proc/" + child.pid() + "/stat"); // it is pinned
            return (Long.parseLong(fields(stat)[6]) & DIED_UNEXECUTED) == DIED_UNEXECUTED;
        } catch (ErrnoException e) {
            if (e.errno() == Errno.EMFILE || e.errno() == Errno.ENFILE) {
                throw e;
            }
            return false;
        }
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
     * {@return the capabilities that count for what it does now: bit n is set if it has the one of
     * that number (capabilities(7), {@code linux/capability.h})}
     */
    public long effectiveCapabilities() {
        return Long.parseUnsignedLong(field("CapEff"), 16);
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
     * {@return the time when it started, by the clock of now: never later than it did, and earlier
     * by at most the 10 ms of a tick and the time that asking takes}
     */
    public Instant startTime() {
        long started = startTicks() * NANOS_A_TICK;
        Instant now = Instant.now(); // first: what passes until the next call makes it earlier
        return now.minusNanos(SysTime.sinceBoot() - started);
    }

    /**
     * {@return when it started, in hundredths of a second since boot} Many processes may share it:
     * no identity.
     */
    public long startTicks() {
        return Long.parseLong(stat()[19]);
    }

    /**
     * {@return the numbers of its children now: each is a child only if, once it is held, its
     * parent is still this process} One that came or went meanwhile may be missing.
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

    /** False if the thread has ended: what it had for children is another thread's. */
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

    /** {@return the number of its process group, for people} */
    public int processGroup() {
        return Integer.parseInt(stat()[2]);
    }

    /** {@return the number of its session's leader, for people} */
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
     * counts from 0. The number of a session cannot be reused while a process is in it, and a
     * process that leaves a session cannot come back; so if this process has the same session
     * before and after the other one is read, both are in that one session.
     *
     * @param other the other process
     */
    public boolean sharesTerminal(PidFd other) {
        Place place = place();
        return place.terminal != 0 && place.equals(other.proc().place()) && place.equals(place());
    }

    /** The session and the device number of the controlling terminal, of one moment. */
    private record Place(int session, int terminal) {}

    private Place place() {
        String[] stat = stat();
        return new Place(Integer.parseInt(stat[3]), Integer.parseInt(stat[4]));
    }

    /**
     * How it ended, if it has ended and was not reaped. The kernel shows 0 instead of the status to
     * those who may not look into the process, so a 0 counts only if something else may be read
     * that is guarded in the same way.
     *
     * @return unknown if the kernel does not tell us
     */
    Exit exitOfZombie() {
        try {
            return read(dir -> {
                String[] stat = fields(KernelFile.text(dir, "stat"));
                int status = Integer.parseInt(stat[EXIT_CODE]);
                boolean told = stat[0].equals("Z") && (status != 0 || isOpenToUs(dir));
                return told ? Exit.ofWaitStatus(status) : new Exit.Unknown();
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
     * {@return the inode numbers of its open sockets, each once} Guarded as ptrace is. Sockets that
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

    /** Empty if the process has closed it meanwhile. */
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
     * {@return a table of the process's network namespace, as {@code /proc/PID/net} has it}
     *
     * @param table {@code unix}, {@code tcp}, {@code tcp6}, {@code udp}, …
     * @throws ErrnoException also ENOENT if the kernel has no such table
     */
    public String network(String table) {
        return read(dir -> KernelFile.text(dir, "net/" + table));
    }

    /**
     * {@return the bytes of memory that are resident for it, shared ones included; 0 for a zombie
     * and for kernel threads, which have none}
     */
    public long residentBytes() {
        String status = status();
        return status.contains("\nVmRSS:") ? parseKilobytes(field(status, "VmRSS")) : 0;
    }

    private static long parseKilobytes(String field) {
        return Long.parseLong(field.substring(0, field.indexOf(' '))) << 10;
    }

    /** {@return the path of its cgroup in the v2 hierarchy, as {@code /proc/PID/cgroup} has it} */
    public String cgroup() {
        String groups = read(dir -> KernelFile.text(dir, "cgroup"));
        for (String line : groups.split("\n")) {
            if (line.startsWith("0::")) {
                return line.substring(3);
            }
        }
        throw new ErrnoException("/proc/PID/cgroup", pidFd.toString(), Errno.ENODATA, "no cgroup2");
    }

    /** The user and group ids, in the order of {@link Credentials}, from {@code status}. */
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

    /** Opens a file of the folder. */
    Fd open(String name, int flags) {
        return read(dir -> Fcntl.open(dir, name, flags, 0));
    }

    /** Writes a file of the folder: 0, or -errno. */
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

    /** The fields of {@code stat} from the third on: the second may hold anything. */
    private String[] stat() {
        return fields(read(dir -> KernelFile.text(dir, "stat")));
    }

    private static String[] fields(String stat) {
        return stat.substring(stat.lastIndexOf(')') + 2).split(" ");
    }

    /** Its number as the {@code /proc} that we read counts, which may not be of our namespace. */
    private int number() {
        int pid = FdInfo.of(pidFd.fd()).number(FdInfo.PID);
        if (pid <= 0) {
            throw new ErrnoException("fdinfo", FdInfo.PID, pid == 0 ? Errno.EREMOTE : Errno.ESRCH);
        }
        return pid;
    }

    /** Uses the folder, verified. A failure of that names the process. */
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
                if (look == LOOKS) { // not there, or hidden
                    throw e.of(pidFd);
                }
            }
        }
    }
}
