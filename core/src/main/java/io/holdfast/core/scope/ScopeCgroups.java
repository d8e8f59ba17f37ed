package io.holdfast.core.scope;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Feature;
import io.holdfast.core.process.Cgroup;
import io.holdfast.core.process.CgroupPath;
import io.holdfast.core.process.ForeignCgroupException;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.KernelFile;
import io.holdfast.core.sys.Unistd;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * Finds a cgroup below which this process may make cgroups and start processes in them.
 *
 * <p>The kernel lets a process be born in another cgroup if we may write {@code cgroup.procs} in
 * that cgroup and in the nearest common ancestor (cgroups(7), "Cgroups delegation"). So the first
 * suitable one of these is used:
 *
 * <ol>
 *   <li>our own cgroup,
 *   <li>its ancestors, up to the root: in a session of a user's manager, {@code user@UID.service}
 *       and the cgroups below it belong to the user,
 *   <li>the cgroup of our user's manager, if we are elsewhere. The common ancestor usually belongs
 *       to root, and then this is refused.
 * </ol>
 */
final class ScopeCgroups {
    private static final String DOMAIN = "domain";
    private static final String REMEDY =
            "run this JVM in a delegated cgroup (systemd-run --user --scope -p Delegate=yes, or"
                    + " Delegate=yes of its unit)";

    private final String name;
    private final List<String> refusals = new ArrayList<>();

    private ScopeCgroups(String name) {
        this.name = name;
    }

    /**
     * Makes a cgroup.
     *
     * @throws ErrnoException EACCES with the reasons of all cgroups that were tried
     */
    static Cgroup make(ScopeName name) {
        return new ScopeCgroups(name.cgroup()).make();
    }

    private Cgroup make() {
        if (!Feature.SCOPE_CGROUP.isPresent()) {
            throw refused("no cgroup2 is mounted");
        }
        CgroupPath own;
        try (PidFd self = PidFd.self()) {
            own = self.cgroupPath();
        } catch (ForeignCgroupException e) {
            throw refused("our cgroup is outside of our cgroup namespace");
        } catch (ErrnoException e) {
            throw refused(String.valueOf(e.getMessage()));
        }
        for (CgroupPath place : places(own)) {
            try {
                return makeIn(place, own);
            } catch (ErrnoException e) {
                refusals.add(String.valueOf(e.getMessage()));
            }
        }
        throw refused(String.join("; ", refusals));
    }

    private static ErrnoException refused(String reasons) {
        return new ErrnoException("cgroup", "of a scope", Errno.EACCES, reasons + "; " + REMEDY);
    }

    private static Set<CgroupPath> places(CgroupPath own) {
        Set<CgroupPath> places = new LinkedHashSet<>();
        CgroupPath place = own;
        while (places.add(place) && !place.isRoot()) {
            place = parent(place);
        }
        long user = Unistd.geteuid();
        String manager = "user.slice/user-%d.slice/user@%d.service".formatted(user, user);
        CgroupPath root = Cgroup.managerRoot();
        boolean _ = places.add(new CgroupPath((root.isRoot() ? "" : root.path()) + "/" + manager));
        return places;
    }

    private static CgroupPath parent(CgroupPath path) {
        int slash = path.path().lastIndexOf('/');
        return slash == 0 ? CgroupPath.ROOT : new CgroupPath(path.path().substring(0, slash));
    }

    private Cgroup makeIn(CgroupPath path, CgroupPath own) {
        CgroupPath above = path; // it becomes the common ancestor of it and our own cgroup
        while (!own.isWithin(above)) {
            above = parent(above);
        }
        try (Cgroup place = Cgroup.open(path.path());
                Cgroup shared = Cgroup.open(above.path())) {
            requireWritable(shared);
            Cgroup made = place.create(name);
            try {
                requireWritable(made);
                requireDomain(made);
                return made;
            } catch (ErrnoException e) {
                try (made) {
                    made.remove();
                }
                throw e;
            }
        }
    }

    private static void requireWritable(Cgroup cgroup) {
        try {
            Fcntl.open(cgroup.fd(), "cgroup.procs", Fcntl.O_WRONLY, 0).close();
        } catch (ErrnoException e) {
            throw e.of(cgroup);
        }
    }

    private static void requireDomain(Cgroup cgroup) {
        String type = KernelFile.text(cgroup.fd(), "cgroup.type");
        if (!type.equals(DOMAIN)) {
            throw new ErrnoException("cgroup.type", cgroup.toString(), Errno.EOPNOTSUPP, type);
        }
    }
}
