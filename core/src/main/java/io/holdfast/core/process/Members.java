package io.holdfast.core.process;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.Feature;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.KernelFile;
import io.holdfast.core.sys.SysStat;
import io.holdfast.core.sys.process.PidfdInfo;
import io.holdfast.core.sys.process.SysPidfd;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collection;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * The processes of a cgroup or of another group, held by pidfds: each was verified to be in the
 * group after it was opened. Closing this closes all of them; {@link #take} hands them over
 * instead.
 */
public final class Members implements Iterable<PidFd>, AutoCloseable {
    private static final String PROCESSES = "cgroup.procs";
    private static final int NUMBER_BYTES = 8; // of a PID (at most 4194304) and a line feed
    private static final int NO_DIRECTORY_BELOW = 2; // links: the name and "."

    private List<PidFd> pidFds;

    private Members(List<PidFd> pidFds) {
        this.pidFds = pidFds;
    }

    /**
     * Takes over processes that were found otherwise than by a cgroup.
     *
     * @param verified the processes; owned by the result from now on
     * @return the processes, owned by the caller
     */
    public static Members adopt(List<PidFd> verified) {
        return new Members(List.copyOf(verified));
    }

    static Members of(Cgroup cgroup, boolean below) {
        Members members = new Members(new ArrayList<>());
        try {
            if (below) {
                visitBelow(cgroup, members.pidFds::add);
            } else {
                visit(cgroup, members.pidFds::add);
            }
            return members;
        } catch (RuntimeException e) {
            members.close();
            throw e;
        }
    }

    @SuppressWarnings("ReferenceEquality") // whether it is the top itself
    private static void visitBelow(Cgroup top, Consumer<PidFd> action) {
        CgroupTree.walk(
                top,
                here -> {
                    try {
                        visit(here, action);
                    } catch (ErrnoException e) {
                        boolean goneBelow = Cgroup.isGone(e) && here != top;
                        // the domain of a threaded cgroup lists its processes
                        if (!goneBelow && e.errno() != Errno.EOPNOTSUPP) {
                            throw e;
                        }
                    }
                    return true;
                });
    }

    /** Hands each verified member to the action, which owns it. */
    static void visit(Cgroup cgroup, Consumer<PidFd> action) {
        numbers(cgroup).stream().forEach(number -> visit(cgroup, number, action));
    }

    /** See {@link Cgroup#hasNoneBut}. */
    static boolean areAll(Cgroup cgroup, Collection<PidFd> known) {
        int most = known.size() * NUMBER_BYTES;
        try (Fd list = cgroup.open(PROCESSES, Fcntl.O_RDONLY)) {
            byte[] content = KernelFile.readFirst(list, PROCESSES, most + 1);
            return content.length <= most
                    && SysStat.stat(cgroup.fd()).links() == NO_DIRECTORY_BELOW
                    && parse(content).stream().allMatch(number -> isAmong(number, known));
        } catch (ErrnoException e) {
            return false; // removed, threaded, or there is no descriptor left
        }
    }

    private static boolean isAmong(int number, Collection<PidFd> known) {
        Optional<PidFd> opened = PidFd.find(number);
        try (PidFd member = opened.orElse(null)) {
            return member != null && known.contains(member); // one that has ended may have a child
        }
    }

    /**
     * Returns the PIDs in {@code cgroup.procs}, each once, without processes of an outer PID
     * namespace (0).
     */
    private static BitSet numbers(Cgroup cgroup) {
        return parse(cgroup.in(dir -> KernelFile.read(dir, PROCESSES)));
    }

    private static BitSet parse(byte[] content) {
        BitSet numbers = new BitSet();
        int number = 0;
        for (byte b : content) {
            if (b != '\n') {
                number = number * 10 + (b - '0');
            } else {
                numbers.set(number);
                number = 0;
            }
        }
        numbers.clear(0);
        return numbers;
    }

    private static void visit(Cgroup cgroup, int number, Consumer<PidFd> action) {
        Optional<PidFd> opened = PidFd.find(number);
        if (opened.isPresent()) {
            PidFd member = opened.get();
            boolean here = false;
            try {
                here = isIn(cgroup, member);
            } finally {
                if (!here) { // ended, moved away, or another process by now
                    member.close();
                }
            }
            if (here) {
                action.accept(member);
            }
        }
    }

    /** Returns whether the process is in this cgroup itself now, not in a descendant. */
    static boolean isIn(Cgroup cgroup, PidFd process) {
        if (Feature.PIDFD_INFO.isPresent()) {
            PidfdInfo info = SysPidfd.getInfo(process.fd(), 0);
            return info.has(PidfdInfo.INFO_PID | PidfdInfo.INFO_CGROUPID)
                    && info.cgroupId() == cgroup.id();
        }
        try {
            String now = process.proc().cgroup();
            if (!new CgroupPath(now).equals(cgroup.path())) {
                return false;
            }
            return CgroupPath.isRemoved(now)
                    ? isListed(process, cgroup)
                    : !cgroup.isRemoved(); // no other cgroup had its path then
        } catch (ForeignCgroupException e) {
            return false;
        } catch (ErrnoException e) {
            return switch (e.errno()) {
                case Errno.EMFILE, Errno.ENFILE, Errno.ENOMEM -> throw e; // it may be in the cgroup
                default -> false;
            };
        }
    }

    /**
     * Returns whether the cgroup lists the process. This decides for a cgroup whose own name ends
     * like the suffix of a removed one.
     */
    private static boolean isListed(PidFd process, Cgroup cgroup) {
        boolean listed = numbers(cgroup).get(process.pid());
        return listed && process.state() != PidFd.State.REAPED;
    }

    /** {@return the number of processes: 0 once they are {@linkplain #take taken} or closed} */
    public int size() {
        return pidFds.size();
    }

    /** {@return an iterator over the processes, which are lent and stay owned by this object} */
    @Override
    public Iterator<PidFd> iterator() {
        return Collections.unmodifiableList(pidFds).iterator();
    }

    /**
     * Hands all processes over to the caller, who closes them.
     *
     * @return the processes
     */
    public List<PidFd> take() {
        List<PidFd> taken = pidFds;
        pidFds = List.of();
        return taken;
    }

    @Override
    public void close() {
        take().forEach(PidFd::close);
    }
}
