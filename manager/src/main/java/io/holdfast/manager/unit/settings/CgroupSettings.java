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
 * Where in the cgroup tree a unit lives.
 *
 * @param slice as written; {@link #sliceOf} knows the default
 * @param delegate whether its processes may make cgroups below it
 * @param oomPolicy what becomes of it when the kernel has ended one of its processes
 * @see <a href="https://www.freedesktop.org/software/systemd/man/systemd.resource-control.html">
 *     systemd.resource-control</a>
 */
public record CgroupSettings(Optional<UnitName> slice, boolean delegate, OomPolicy oomPolicy) {
    /** What becomes of a unit when the kernel, out of memory, has ended one of its processes. */
    public enum OomPolicy {
        CONTINUE,
        STOP,
        KILL
    }

    /** Nothing is written. */
    public static final CgroupSettings NONE =
            new CgroupSettings(Optional.empty(), false, OomPolicy.STOP);

    /** The slice that all others are below. */
    public static final UnitName ROOT_SLICE = UnitName.of("-.slice");

    /**
     * The slice that this unit is born in: the one written, or for the system's units {@code
     * system.slice} and for a user's {@code app.slice}, instances in a slice below it that is named
     * after their template.
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

        /** Nothing is read yet. */
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
                                            name.slicePath(); // refuses what is no slice
                                            return name;
                                        });
                case "Delegate" -> delegate = a.isEmpty() || !isFalse(a);
                case "OOMPolicy" ->
                        oomPolicy =
                                Optional.of(
                                        a.word(
                                                oomPolicy.orElse(OomPolicy.STOP),
                                                OomPolicy.values()));
                default -> {
                    return false;
                }
            }
            return true;
        }

        /** It may also name the controllers that are delegated. */
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
