package io.holdfast.manager.unit.settings;

import io.holdfast.manager.unit.ManagerScope;
import io.holdfast.manager.unit.UnitEscape;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.UnitType;
import io.holdfast.manager.unit.directive.Assignment;
import io.holdfast.manager.unit.directive.SectionReader;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/**
 * The place of a unit in the cgroup tree.
 *
 * @param slice as written; {@link #sliceOf} applies the default
 * @param delegate whether its processes may make cgroups below it
 * @param oomPolicy the reaction when the OOM killer has killed one of its processes
 * @see <a href="https://www.freedesktop.org/software/systemd/man/systemd.resource-control.html">
 *     systemd.resource-control</a>
 */
public record CgroupSettings(Optional<UnitName> slice, boolean delegate, OomPolicy oomPolicy) {
    /** The reaction of a unit when the OOM killer has killed one of its processes. */
    public enum OomPolicy {
        CONTINUE,
        STOP,
        KILL
    }

    /** The defaults. */
    public static final CgroupSettings NONE =
            new CgroupSettings(Optional.empty(), false, OomPolicy.STOP);

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
        private static final Set<String> DELEGATE_NOT = Set.of("no", "n", "false", "f", "off", "0");
        private Optional<UnitName> slice = Optional.empty();
        private boolean delegate;
        private Optional<OomPolicy> oomPolicy = Optional.empty();

        /** Creates a reader with the defaults. */
        public Reader() {}

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
                case "Delegate" -> {
                    a.notActedOn();
                    delegate = a.isEmpty() || !isFalse(a);
                }
                case "OOMPolicy" -> {
                    a.notActedOn();
                    oomPolicy =
                            Optional.of(
                                    a.word(oomPolicy.orElse(OomPolicy.STOP), OomPolicy.values()));
                }
                default -> {
                    return false;
                }
            }
            return true;
        }

        /** Returns whether the value is false; other values may name the delegated controllers. */
        private static boolean isFalse(Assignment a) {
            return DELEGATE_NOT.contains(
                    a.text(Optional.empty()).orElse("").toLowerCase(Locale.ROOT));
        }

        public CgroupSettings build() {
            OomPolicy usual = delegate ? OomPolicy.CONTINUE : OomPolicy.STOP;
            return new CgroupSettings(slice, delegate, oomPolicy.orElse(usual));
        }
    }
}
