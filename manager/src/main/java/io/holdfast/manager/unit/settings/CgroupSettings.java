package io.holdfast.manager.unit.settings;

import io.holdfast.core.process.CgroupPath;
import io.holdfast.manager.unit.ManagerScope;
import io.holdfast.manager.unit.SharedParts;
import io.holdfast.manager.unit.UnitEscape;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.UnitType;
import io.holdfast.manager.unit.directive.Assignment;
import io.holdfast.manager.unit.directive.SectionReader;
import io.holdfast.manager.unit.resource.Controller;
import io.holdfast.manager.unit.resource.ResourceSettings;
import io.holdfast.manager.unit.value.Scalars;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * The place of a unit in the cgroup tree.
 *
 * @param slice as written; {@link #sliceOf} applies the default
 * @param delegation whether its processes may make cgroups below it
 * @param oomPolicy the reaction when the OOM killer has killed one of its processes
 * @param receivesCoredumps whether the core dumps of its processes go to the systemd-coredump(8) in
 *     it, if it has a cgroup of its own to manage
 * @param resources its limits, and what is accounted
 * @see <a href="https://www.freedesktop.org/software/systemd/man/systemd.resource-control.html">
 *     systemd.resource-control</a>
 */
public record CgroupSettings(
        Optional<UnitName> slice,
        Delegation delegation,
        OomPolicy oomPolicy,
        boolean receivesCoredumps,
        ResourceSettings resources) {
    /**
     * What a unit may do with its cgroup.
     *
     * @param controllers those that it may use below its cgroup; empty without {@code Delegate=}
     * @param isOn whether its processes may make cgroups below it
     * @param subgroup the cgroup below it in which its processes start
     */
    public record Delegation(boolean isOn, Set<Controller> controllers, Optional<String> subgroup) {
        public static final Delegation NONE = new Delegation(false, Set.of(), Optional.empty());

        public Delegation {
            controllers = Set.copyOf(controllers);
        }
    }

    /** The reaction of a unit when the OOM killer has killed one of its processes. */
    public enum OomPolicy {
        CONTINUE,
        STOP,
        KILL
    }

    /** The defaults. */
    public static final CgroupSettings NONE =
            new CgroupSettings(
                    Optional.empty(),
                    Delegation.NONE,
                    OomPolicy.STOP,
                    false,
                    ResourceSettings.NONE);

    /** The root of all slices. */
    public static final UnitName ROOT_SLICE = UnitName.of("-.slice");

    /**
     * Returns the slice that this unit's cgroup is in: the one in its files, or by default {@code
     * system.slice} for the system's units and {@code app.slice} for a user's units. Instances are
     * in a slice below it that is named after their template.
     */
    public UnitName sliceOf(UnitName unit, ManagerScope scope) {
        String root = scope.user() ? "app" : "system";
        return slice.orElseGet(() ->
                unit.isInstance()
                        ? UnitName.parse(
                                        root
                                                + "-"
                                                + UnitEscape.escape(unit.prefix())
                                                + UnitType.SLICE.suffix())
                                .orElse(UnitName.of(root + UnitType.SLICE.suffix()))
                        : UnitName.of(root + UnitType.SLICE.suffix()));
    }

    /** Returns whether its processes may make cgroups below it. */
    public boolean delegate() {
        return delegation.isOn();
    }

    /** Returns the controllers that its cgroup needs. */
    public Set<Controller> controllers() {
        Set<Controller> needed = EnumSet.noneOf(Controller.class);
        needed.addAll(resources.controllers());
        needed.addAll(delegation.controllers());
        return needed;
    }

    public static Optional<UnitName> parentOf(UnitName slice) {
        try {
            List<UnitName> path = slice.slicePath();
            return switch (path.size()) {
                case 0 -> Optional.empty();
                case 1 -> Optional.of(ROOT_SLICE);
                default -> Optional.of(path.get(path.size() - 2));
            };
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    public static final class Reader implements SectionReader {
        private final OomPolicy usual;
        private final ResourceSettings.Reader resources;
        private Optional<UnitName> slice = Optional.empty();
        private Delegation delegation = Delegation.NONE;
        private Optional<OomPolicy> oomPolicy = Optional.empty();
        private boolean receivesCoredumps;

        public Reader(ManagerDefaults defaults) {
            usual = defaults.oomPolicy();
            resources = new ResourceSettings.Reader(defaults.resources());
        }

        @Override
        public boolean assign(Assignment a) {
            switch (a.key()) {
                case "Slice" ->
                        slice =
                                a.optional(
                                        slice,
                                        text -> {
                                            UnitName name = UnitName.of(text);
                                            name.slicePath(); // refuses a name that is not a slice
                                            return name;
                                        });
                case "Delegate" -> delegation = delegation(a);
                case "DelegateSubgroup" ->
                        delegation =
                                new Delegation(
                                        delegation.isOn,
                                        delegation.controllers,
                                        a.optional(delegation.subgroup, Reader::subgroup));
                case "CoredumpReceive" -> receivesCoredumps = a.bool(receivesCoredumps);
                case "OOMPolicy" ->
                        oomPolicy =
                                a.isEmpty()
                                        ? Optional.empty()
                                        : Optional.of(
                                                a.word(
                                                        oomPolicy.orElse(usual),
                                                        OomPolicy.values()));
                default -> {
                    return resources.assign(a);
                }
            }
            return true;
        }

        /** Reads a boolean, or the delegated controllers; an empty assignment delegates none. */
        private Delegation delegation(Assignment a) {
            Optional<Boolean> all = Scalars.findBoolean(a.value());
            Set<Controller> controllers =
                    all.isPresent()
                            ? all.get() ? EnumSet.allOf(Controller.class) : Set.of()
                            : ResourceSettings.controllers(a, delegation.controllers);
            return new Delegation(all.orElse(true), controllers, delegation.subgroup);
        }

        private static String subgroup(String name) {
            boolean valid =
                    !name.contains("/")
                            && !name.equals(".")
                            && !name.equals("..")
                            && CgroupPath.escape(name).equals(name);
            if (!valid) {
                throw Scalars.bad("the name of a cgroup", name);
            }
            return name;
        }

        /** Builds the settings of a unit whose commands have these settings. */
        public CgroupSettings build(SandboxSettings sandbox) {
            return build(
                    resources
                            .build()
                            .impliedBy(
                                    sandbox.has(SandboxSettings.Flag.PRIVATE_DEVICES),
                                    sandbox.has(SandboxSettings.Flag.PROTECT_CLOCK)));
        }

        /** Builds the settings of a unit without commands. */
        public CgroupSettings build() {
            return build(resources.build());
        }

        private CgroupSettings build(ResourceSettings built) {
            OomPolicy otherwise = delegation.isOn ? OomPolicy.CONTINUE : usual;
            return SharedParts.of(
                    new CgroupSettings(
                            slice,
                            delegation,
                            oomPolicy.orElse(otherwise),
                            receivesCoredumps,
                            built));
        }
    }
}
