package io.holdfast.manager.unit.section;

import io.holdfast.manager.unit.ManagerScope;
import io.holdfast.manager.unit.UnitEscape;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.UnitType;
import java.util.List;
import java.util.Optional;

/**
 * Where in the cgroup tree a unit lives.
 *
 * @param slice as written; {@link #sliceOf} knows the default
 * @see <a href="https://www.freedesktop.org/software/systemd/man/systemd.resource-control.html">
 *     systemd.resource-control</a>
 */
public record CgroupSettings(Optional<UnitName> slice) {
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

    static Optional<UnitName> parentOf(UnitName slice) {
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

    static final class Reader implements SectionReader {
        private Optional<UnitName> slice = Optional.empty();

        @Override
        public boolean assign(Assignment a) {
            if (!a.key().equals("Slice")) {
                return false;
            }
            slice =
                    a.optional(
                            slice,
                            text -> {
                                UnitName name = UnitName.of(text);
                                name.slicePath(); // refuses what is no slice
                                return name;
                            });
            return true;
        }

        CgroupSettings build() {
            return new CgroupSettings(slice);
        }
    }
}
