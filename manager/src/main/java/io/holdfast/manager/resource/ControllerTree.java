package io.holdfast.manager.resource;

import static java.util.stream.Collectors.joining;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.process.Cgroup;
import io.holdfast.core.process.Members;
import io.holdfast.core.process.PidFd;
import io.holdfast.manager.unit.Diagnostic;
import io.holdfast.manager.unit.DirectiveCost;
import io.holdfast.manager.unit.file.UnitSource;
import io.holdfast.manager.unit.resource.Controller;
import io.holdfast.manager.unit.resource.ResourceDirective;
import io.holdfast.manager.unit.resource.ResourceSettings;
import java.util.Collection;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The controllers that a manager may use for its units.
 *
 * <p>The kernel enables a controller for a cgroup in the {@code cgroup.subtree_control} of the
 * cgroup above it, and only if that has no processes itself. So the manager leaves the cgroup that
 * it was started in for one below it, {@code init.scope}, and a controller is enabled in the
 * cgroups above a unit when the first unit there needs it. Blocking; safe for use by any thread.
 */
public final class ControllerTree {
    /** The cgroup of the manager itself. */
    public static final String LEAF = "init.scope";

    private static final String ENABLED = "cgroup.subtree_control";

    /** Of a manager whose units have no cgroups. */
    public static final ControllerTree NONE =
            new ControllerTree(Set.of(), "its units have no cgroups");

    private final Set<Controller> available;
    private final String reason;
    private volatile Consumer<String> warnings = _ -> {};
    private boolean warned;

    private ControllerTree(Set<Controller> available, String reason) {
        this.available = available;
        this.reason = reason;
    }

    /**
     * Finds out which controllers can be used below a cgroup.
     *
     * @param base the cgroup that the manager was started in, lent
     * @param mayLeave whether the process is the manager's own, so that it may move
     * @param keeper the parent of the process, if that belongs to the manager too
     */
    public static ControllerTree below(Cgroup base, boolean mayLeave, Optional<PidFd> keeper) {
        Set<Controller> offered;
        try {
            offered = parse(base.read("cgroup.controllers"));
        } catch (ErrnoException e) {
            return new ControllerTree(Set.of(), String.valueOf(e.getMessage()));
        }
        if (offered.isEmpty()) {
            return new ControllerTree(
                    Set.of(), "the kernel offers no controllers in " + base + remedy(base));
        }
        String problem = hasProcesses(base) ? leave(base, mayLeave, keeper) : null;
        return problem == null
                ? new ControllerTree(offered, "not offered in " + base)
                : new ControllerTree(Set.of(), problem);
    }

    private static String remedy(Cgroup base) {
        return base.path().isRoot()
                ? ": they are in use by cgroup v1, or switched off"
                : "; Delegate=yes of the unit, or of the container, offers them";
    }

    private static Set<Controller> parse(String names) {
        Set<Controller> found = EnumSet.noneOf(Controller.class);
        List<String> words = List.of(names.split(" ", -1));
        for (Controller each : Controller.values()) {
            if (words.contains(each.toString())) {
                found.add(each);
            }
        }
        return found;
    }

    /** Returns whether a cgroup has processes which prevent that it enables controllers. */
    private static boolean hasProcesses(Cgroup base) {
        try {
            String _ = base.read("cgroup.type"); // the root alone has none, and may have both
        } catch (ErrnoException e) {
            return false;
        }
        return !base.read("cgroup.procs").isEmpty();
    }

    /** Moves the manager and its keeper to a leaf, and returns why that was not possible. */
    private static @Nullable String leave(Cgroup base, boolean mayLeave, Optional<PidFd> keeper) {
        String others =
                "other processes are in " + base + ": start the manager in a cgroup of its own";
        if (!mayLeave) {
            return others;
        }
        try (PidFd self = PidFd.self();
                Members members = base.members()) {
            for (PidFd member : members) {
                boolean ours = member.equals(self) || keeper.filter(member::equals).isPresent();
                if (!ours) {
                    return others;
                }
            }
            try (Cgroup leaf = base.create(LEAF)) {
                for (PidFd member : members) {
                    leaf.attach(member);
                }
            }
            return null;
        } catch (ErrnoException e) {
            return "the manager cannot leave " + base + ": " + e.getMessage();
        }
    }

    /** Sets the receiver of the only warning of this manager about missing controllers. */
    public void warnings(Consumer<String> receiver) {
        warnings = receiver;
    }

    /** Returns the controllers that can be used. */
    public Set<Controller> available() {
        return Set.copyOf(available);
    }

    /** Returns the directives of a unit that have no effect, with their consequences. */
    public List<Diagnostic> diagnostics(UnitSource unit, ResourceSettings settings) {
        return unapplied(settings).stream()
                .map(each ->
                        new Diagnostic(
                                unit.placeOf(each.key(), ""),
                                Diagnostic.Kind.NOT_APPLIED,
                                each.key() + "= is not applied: " + reason,
                                DirectiveCost.of(each.key())))
                .toList();
    }

    /** Returns the directives of a unit's files that need a controller that cannot be used. */
    private Set<ResourceDirective> unapplied(ResourceSettings settings) {
        Set<ResourceDirective> all = EnumSet.noneOf(ResourceDirective.class);
        for (Controller each : Controller.values()) {
            if (!available.contains(each)) {
                all.addAll(settings.needing(each));
            }
        }
        return all;
    }

    /**
     * Enables controllers for what is below cgroups, as far as they can be used.
     *
     * @param path from the uppermost cgroup down, each without processes of its own
     * @param needed by a cgroup below the last one
     * @return those that are enabled below the last cgroup
     * @throws ErrnoException if the kernel refuses one
     */
    public Set<Controller> enable(Collection<Cgroup> path, Set<Controller> needed) {
        Set<Controller> wanted = EnumSet.noneOf(Controller.class);
        wanted.addAll(needed);
        wanted.retainAll(available);
        Set<Controller> enabled = EnumSet.noneOf(Controller.class);
        for (Cgroup cgroup : path) {
            enabled = parse(cgroup.read(ENABLED));
            Set<Controller> more = EnumSet.noneOf(Controller.class);
            more.addAll(wanted);
            more.removeAll(enabled);
            if (!more.isEmpty()) {
                cgroup.write(ENABLED, more.stream().map(each -> "+" + each).collect(joining(" ")));
                enabled.addAll(more);
            }
        }
        return enabled;
    }

    /** Warns once that a directive has no effect. */
    public synchronized void missing(String unit, ResourceSettings settings) {
        Set<ResourceDirective> directives = warned ? Set.of() : unapplied(settings);
        if (!directives.isEmpty()) {
            warned = true;
            warnings.accept(
                    "%s=, of %s and perhaps of more units, has no effect: %s"
                            .formatted(directives.iterator().next().key(), unit, reason));
        }
    }
}
