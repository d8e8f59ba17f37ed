package io.holdfast.manager.unit.install;

import java.util.List;
import java.util.Optional;

/**
 * The result of an operation on unit files.
 *
 * @param carriesInstallInfo whether an {@code [Install]} section called for a link, or a link was
 *     removed
 * @param changes in the order in which they were made
 * @param failure why the rest was not done
 */
public record InstallResult(
        boolean carriesInstallInfo,
        List<InstallChange> changes,
        Optional<InstallException> failure) {
    public InstallResult {
        changes = List.copyOf(changes);
    }

    /** Returns whether a file was changed. */
    public boolean isModified() {
        return changes.stream().anyMatch(InstallChange::isModification);
    }
}
