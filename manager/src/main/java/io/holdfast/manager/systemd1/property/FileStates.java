package io.holdfast.manager.systemd1.property;

import io.holdfast.manager.ManagerView;
import io.holdfast.manager.systemd1.property.UnitProperties.Files;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.install.Presets;
import io.holdfast.manager.unit.install.UnitFileStates;
import io.holdfast.manager.view.UnitView;
import org.jspecify.annotations.Nullable;

/**
 * The present state of the files of units. The folders are read once, when the first unit with a
 * file is looked up. All methods block; not thread-safe.
 */
public final class FileStates {
    private final ManagerView manager;
    private @Nullable UnitFileStates links;
    private @Nullable Presets presets;

    public FileStates(ManagerView manager) {
        this.manager = manager;
    }

    public Files of(UnitName name, UnitView view) {
        return new Files(word(name, view), preset(name, view), manager.isOutdated(view));
    }

    /**
     * Returns whether a unit is enabled, as {@code systemctl is-enabled} prints it; an empty word
     * for a unit without a file.
     */
    public String word(UnitName name, UnitView view) {
        if (!hasFile(view)) {
            return "";
        }
        UnitFileStates known = links;
        if (known == null) {
            known = UnitFileStates.read(manager.files().folders());
            links = known;
        }
        return known.of(name, view.unit()).word();
    }

    private String preset(UnitName name, UnitView view) {
        if (!hasFile(view)) {
            return "";
        }
        Presets known = presets;
        if (known == null) {
            known = manager.files().presets();
            presets = known;
        }
        return known.word(name);
    }

    private static boolean hasFile(UnitView view) {
        return view.unit().source().fragment().isPresent();
    }
}
