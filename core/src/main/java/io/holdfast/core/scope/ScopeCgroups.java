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
import io.holdfast.core.sys.SysStat;
import io.holdfast.core.sys.Unistd;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
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
    private final String name;
    private final Map<String, String> limits;
    private final List<String> refusals = new ArrayList<>();

    private ScopeCgroups(String name, Map<String, String> limits) {
        this.name = name;
        this.limits = limits;
    }

    /**
     * Makes a cgroup.
     *
     * @param limits attributes to set, such as {@code memory.max}, and their values
     * @throws NoUsableCgroupException with the reasons of all cgroups that were tried
     * @throws ErrnoException for a failure that says nothing about them, and may pass: EMFILE,
     *     ENFILE, ENOMEM, or EAGAIN at a limit of cgroups; also if pidfd_open(2) is refused
     */
    static Cgroup make(ScopeName name, Map<String, String> limits) throws NoUsableCgroupException {
        return new ScopeCgroups(name.cgroup(), limits).make();
    }

    private Cgroup make() throws NoUsableCgroupException {
        if (!Feature.SCOPE_CGROUP.isPresent()) {
            throw new NoUsableCgroupException("no cgroup2 is mounted");
        }
        ErrnoException limited = null;
        CgroupPath own = own();
        for (CgroupPath place : limits.isEmpty() ? places(own) : placesOfUnit(own)) {
            try {
                return makeIn(place, own);
            } catch (ErrnoException e) {
                if (ProcessScope.isShortage(e)) {
                    throw e;
                }
                limited = limited == null && e.errno() == Errno.EAGAIN ? e : limited;
                refusals.add(String.valueOf(e.getMessage()));
            }
        }
        if (limited != null) {
            throw limited;
        }
        throw new NoUsableCgroupException(
                (limits.isEmpty() ? "" : "with limits " + limits + ": ")
                        + String.join("; ", refusals));
    }

    private static CgroupPath own() throws NoUsableCgroupException {
        try (PidFd self = PidFd.self()) {
            try {
                return self.cgroupPath();
            } catch (ForeignCgroupException e) {
                throw new NoUsableCgroupException("our cgroup is outside of our cgroup namespace");
            } catch (ErrnoException e) {
                if (ProcessScope.isShortage(e)) {
                    throw e;
                }
                throw new NoUsableCgroupException(String.valueOf(e.getMessage()));
            }
        }
    }

    private static Set<CgroupPath> places(CgroupPath own) {
        Set<CgroupPath> places = new LinkedHashSet<>();
        CgroupPath place = own;
        while (places.add(place) && !place.isRoot()) {
            place = place.parent();
        }
        long user = Unistd.geteuid();
        String manager = "user.slice/user-%d.slice/user@%d.service".formatted(user, user);
        CgroupPath root = Cgroup.managerRoot();
        boolean _ = places.add(new CgroupPath((root.isRoot() ? "" : root.path()) + "/" + manager));
        return places;
    }

    /**
     * Returns our own cgroup and its ancestors, up to that of our unit: a scope with limits is not
     * made beside the unit, where the unit's limits would not apply and its stop would miss it.
     */
    static Set<CgroupPath> placesOfUnit(CgroupPath own) {
        Set<CgroupPath> places = new LinkedHashSet<>();
        CgroupPath place = own;
        while (places.add(place) && !place.isRoot() && isOfUnit(place.parent(), own)) {
            place = place.parent();
        }
        return places;
    }

    private static boolean isOfUnit(CgroupPath place, CgroupPath own) {
        return place.unit().equals(own.unit()) && place.userUnit().equals(own.userUnit());
    }

    private Cgroup makeIn(CgroupPath path, CgroupPath own) {
        CgroupPath above = path; // it becomes the common ancestor of it and our own cgroup
        while (!own.isWithin(above)) {
            above = above.parent();
        }
        try (Cgroup place = Cgroup.open(path.path());
                Cgroup shared = Cgroup.open(above.path())) {
            requireWritable(shared);
            for (String attribute : limits.keySet()) {
                place.enable(attribute.substring(0, attribute.indexOf('.')));
            }
            Cgroup made = place.create(name);
            try {
                requireWritable(made);
                requireDomain(made);
                limits.forEach(made::write);
                return made;
            } catch (RuntimeException e) {
                made.close();
                int _ = SysStat.rmdirat(place.fd(), name); // needs no descriptor
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
