package io.holdfast.manager.credential;

import io.holdfast.manager.unit.ManagerScope;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * The folders from which a manager takes credentials by name: what it has received itself, and the
 * stores of the machine. The first folder that has a name counts.
 *
 * @param plain with unencrypted credentials
 * @param encrypted with encrypted ones
 */
public record CredentialStores(List<Path> plain, List<Path> encrypted) {
    private static final List<String> FOLDERS =
            List.of("/etc", "/run", "/usr/local/lib", "/usr/lib");

    /** Where systemd's first process puts the credentials that the machine has received. */
    private static final String OF_MACHINE = "/run/credentials/@system";

    private static final String OF_MACHINE_ENCRYPTED = "/run/credentials/@encrypted";

    public CredentialStores {
        plain = List.copyOf(plain);
        encrypted = List.copyOf(encrypted);
    }

    /**
     * Returns the folders of a manager.
     *
     * @param environment of the manager's own process
     */
    public static CredentialStores of(ManagerScope scope, Map<String, String> environment) {
        boolean user = scope.user();
        return new CredentialStores(
                folders(
                        environment.getOrDefault("CREDENTIALS_DIRECTORY", user ? "" : OF_MACHINE),
                        "credstore"),
                folders(
                        environment.getOrDefault(
                                "ENCRYPTED_CREDENTIALS_DIRECTORY",
                                user ? "" : OF_MACHINE_ENCRYPTED),
                        "credstore.encrypted"));
    }

    private static List<Path> folders(String received, String name) {
        List<Path> folders = new ArrayList<>();
        if (received.startsWith("/")) {
            folders.add(Path.of(received));
        }
        FOLDERS.forEach(base -> folders.add(Path.of(base, name)));
        return folders;
    }

    /** {@return the folders that may have an encrypted credential, or one in plain text} */
    List<Path> all() {
        List<Path> all = new ArrayList<>(encrypted);
        all.addAll(plain);
        return all;
    }

    static boolean exists(Path folder) {
        return Files.isDirectory(folder);
    }
}
