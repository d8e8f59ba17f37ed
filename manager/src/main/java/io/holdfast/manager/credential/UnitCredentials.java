package io.holdfast.manager.credential;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.file.FileException;
import io.holdfast.manager.unit.ManagerScope;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.settings.CredentialSettings;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/**
 * The credentials of one run of a unit, in a folder below {@code /run/credentials}, whose path its
 * processes have in {@code $CREDENTIALS_DIRECTORY}.
 *
 * <p>They are collected anew for each run and are gone after it. A manager that adopts a run finds
 * them in their place. Blocking.
 */
public final class UnitCredentials {
    private static final long UNCHANGED = -1;

    private final CredentialSettings settings;
    private final ManagerScope scope;
    private final UnitName unit;
    private final CredentialFolder folder;

    public UnitCredentials(CredentialSettings settings, ManagerScope scope, UnitName unit) {
        this.settings = settings;
        this.scope = scope;
        this.unit = unit;
        this.folder = new CredentialFolder(parent(scope).resolve(unit.text()));
    }

    /** {@return the folder that contains those of all units} */
    public static Path parent(ManagerScope scope) {
        return Path.of(scope.runtimeDirectory(), "credentials");
    }

    /** {@return the folder; empty if the unit has no credentials} */
    public Optional<Path> path() {
        return settings.isEmpty() ? Optional.empty() : Optional.of(folder.path());
    }

    /** {@return the variables of the unit's processes} */
    public Map<String, String> variables() {
        return path().map(path -> Map.of("CREDENTIALS_DIRECTORY", path.toString()))
                .orElse(Map.of());
    }

    /**
     * Collects the credentials and makes the folder.
     *
     * @param uid of the unit's user; empty: ours
     * @param mounted whether the folder becomes a file system of its own
     * @throws CredentialException saying which one is missing and why
     */
    public void make(Optional<Long> uid, boolean mounted)
            throws CredentialException, InterruptedException {
        if (settings.isEmpty()) {
            return;
        }
        CredentialContents contents =
                new CredentialContents(
                        unit,
                        CredentialStores.of(scope, System.getenv()),
                        new CredentialDecryption(scope));
        try {
            folder.make(contents.collect(settings), uid.orElse(UNCHANGED), mounted);
        } catch (ErrnoException | FileException e) {
            throw new CredentialException(
                    "the folder of the credentials cannot be made: " + e.getMessage());
        }
    }

    /**
     * Removes the folder.
     *
     * @throws FileException if something is left
     */
    public void remove() throws FileException {
        if (!settings.isEmpty()) {
            folder.remove();
        }
    }
}
