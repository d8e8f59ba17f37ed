package io.holdfast.core.scope;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.process.Cgroup;
import io.holdfast.core.process.CgroupPath;
import io.holdfast.core.process.ProcessId;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * What a JVM that died has left of a {@link ProcessScope}: see {@link ProcessScope#leftovers}.
 *
 * <pre>{@code
 * for (LeftoverScope scope : ProcessScope.leftovers()) {
 *     IO.println(scope + ": ending " + scope.processes() + " processes");
 *     scope.end(Duration.ofSeconds(5));
 * }
 * }</pre>
 *
 * <p>Holds no descriptors, and need not be closed. Immutable and safe for use by any thread.
 */
public final class LeftoverScope {
    private final ScopeName name;
    private final int processes;
    private final @Nullable CgroupPath cgroup; // null: found by the mark of its processes
    private final long cgroupId;

    private LeftoverScope(
            ScopeName name, int processes, @Nullable CgroupPath cgroup, long cgroupId) {
        this.name = name;
        this.processes = processes;
        this.cgroup = cgroup;
        this.cgroupId = cgroupId;
    }

    static LeftoverScope of(ScopeName name, int processes, Cgroup cgroup) {
        return new LeftoverScope(name, processes, cgroup.path(), cgroup.id());
    }

    static LeftoverScope of(Mark mark, int processes) {
        return new LeftoverScope(new ScopeName("", mark.owner(), mark.id()), processes, null, 0);
    }

    /**
     * {@return the name for people that the scope was opened with, as far as its cgroup could hold
     * it; empty if it had none, or no cgroup}
     */
    public String name() {
        return name.name();
    }

    /** {@return the identity that the dead JVM had, for people: no process has it any more} */
    public ProcessId jvm() {
        Owner owner = name.owner();
        OptionalLong id = owner.id() == 0 ? OptionalLong.empty() : OptionalLong.of(owner.id());
        return new ProcessId(owner.pid(), id, Optional.empty());
    }

    /** {@return the mechanism by which its processes are found} */
    public Guarantee guarantee() {
        return cgroup == null ? Guarantee.SUBREAPER : Guarantee.CGROUP;
    }

    /** {@return its cgroup; empty for {@link Guarantee#SUBREAPER}} */
    public Optional<CgroupPath> cgroup() {
        return Optional.ofNullable(cgroup);
    }

    /** {@return the number of its living processes when it was found; 0 or more} */
    public int processes() {
        return processes;
    }

    /**
     * Kills all its processes, waits until they are gone, and removes its cgroup. Does nothing if
     * it was ended before.
     *
     * @throws ProcessesLeftException as {@link ProcessScope#end}
     * @throws ErrnoException EACCES or EPERM without permission; EMFILE, ENFILE, ENOMEM
     */
    public void kill() {
        end(Duration.ZERO);
    }

    /**
     * Ends all its processes as {@link ProcessScope#end} does, and removes its cgroup. Does nothing
     * if it was ended before.
     *
     * @param grace the time between SIGTERM and SIGKILL, zero or more
     * @throws ProcessesLeftException as {@link ProcessScope#end}
     * @throws ErrnoException as {@link #kill}
     */
    public void end(Duration grace) {
        Optional<Group> left = cgroup == null ? Optional.of(markedGroup()) : cgroupGroup(cgroup);
        ScopeOptions options = ScopeOptions.standard().withGrace(grace);
        left.ifPresent(group -> new ProcessScope(name, options, new Starts(), group).close());
    }

    private Group markedGroup() {
        return new LeftoverGroup(new Mark(name.id(), name.owner()));
    }

    /** Opens the cgroup; empty if it was removed, even if another one has its path now. */
    private Optional<Group> cgroupGroup(CgroupPath path) {
        Cgroup found;
        try {
            found = Cgroup.open(path.path());
        } catch (ErrnoException e) {
            if (e.errno() == Errno.ENOENT) {
                return Optional.empty();
            }
            throw e;
        }
        if (found.id() != cgroupId) {
            found.close();
            return Optional.empty();
        }
        return Optional.of(new CgroupGroup(found));
    }

    /** {@return the name of the scope, its id, and the PID that its JVM had} */
    @Override
    public String toString() {
        return name + " of the dead JVM " + name.owner().pid();
    }
}
