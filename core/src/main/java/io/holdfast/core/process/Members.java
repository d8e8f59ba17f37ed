package io.holdfast.core.process;

import io.holdfast.core.linux.Errno;
import io.holdfast.core.linux.ErrnoException;
import io.holdfast.core.linux.Feature;
import io.holdfast.core.linux.KernelFile;
import io.holdfast.core.linux.PidfdInfo;
import io.holdfast.core.linux.SysPidfd;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * The processes of a cgroup, held: each was in it when it was verified, after it was opened.
 * Closing this closes all of them; {@link #take} hands them over instead.
 */
public final class Members implements Iterable<PidFd>, AutoCloseable {
    private List<PidFd> pidFds;

    private Members(List<PidFd> pidFds) {
        this.pidFds = pidFds;
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

    private static void visitBelow(Cgroup cgroup, Consumer<PidFd> action) {
        try {
            visit(cgroup, action);
        } catch (ErrnoException e) {
            if (e.errno()
                    != Errno.EOPNOTSUPP) { // a threaded cgroup: its domain lists its processes
                throw e;
            }
        }
        for (String name : cgroup.childNames()) {
            try (Cgroup child = cgroup.child(name)) {
                visitBelow(child, action);
            } catch (ErrnoException e) {
                if (e.errno() != Errno.ENOENT && e.errno() != Errno.ENODEV) { // removed meanwhile
                    throw e;
                }
            }
        }
    }

    /** Hands each verified member to the action, which owns it. */
    static void visit(Cgroup cgroup, Consumer<PidFd> action) {
        byte[] numbers = KernelFile.read(cgroup.fd(), "cgroup.procs");
        BitSet seen = new BitSet(); // the kernel may list one twice
        int number = 0;
        for (byte b : numbers) {
            if (b != '\n') {
                number = number * 10 + (b - '0');
                continue;
            }
            if (number > 0 && !seen.get(number)) { // 0: of an outer PID namespace
                seen.set(number);
                visit(cgroup, number, action);
            }
            number = 0;
        }
    }

    private static void visit(Cgroup cgroup, int number, Consumer<PidFd> action) {
        Optional<PidFd> opened = PidFd.find(number);
        if (opened.isPresent()) {
            PidFd member = opened.get();
            boolean here = false;
            try {
                here = isIn(cgroup, member);
            } finally {
                if (!here) { // ended, moved away, or somebody else by now
                    member.close();
                }
            }
            if (here) {
                action.accept(member);
            }
        }
    }

    /** Whether the process is in this very cgroup at this moment. */
    static boolean isIn(Cgroup cgroup, PidFd process) {
        if (Feature.PIDFD_INFO.isPresent()) {
            PidfdInfo info = SysPidfd.getInfo(process.fd(), 0);
            return info.has(PidfdInfo.INFO_PID | PidfdInfo.INFO_CGROUPID)
                    && info.cgroupId() == cgroup.id();
        }
        try {
            String now = process.proc().cgroup();
            return !CgroupPath.isRemoved(now)
                    && new CgroupPath(now).equals(cgroup.path())
                    && isInPlace(cgroup);
        } catch (ErrnoException | ForeignCgroupException e) {
            return false;
        }
    }

    /** Whether the path leads here, and not to another cgroup of the same name. */
    private static boolean isInPlace(Cgroup cgroup) {
        try (Cgroup there = Cgroup.open(cgroup.path().path())) {
            return there.id() == cgroup.id();
        }
    }

    public int size() {
        return pidFds.size();
    }

    /** Lent: they stay this object's. */
    @Override
    public Iterator<PidFd> iterator() {
        return Collections.unmodifiableList(pidFds).iterator();
    }

    /** Hands all of them to the caller, who closes them. */
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
