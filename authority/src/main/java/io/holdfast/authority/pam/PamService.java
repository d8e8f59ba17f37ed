package io.holdfast.authority.pam;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * A PAM service: the file that configures how users authenticate (pam.d(5)).
 *
 * @param name the name of the file
 * @param folder the folder of the file and of the files that it includes; empty for the system's
 *     folders. Needs Linux-PAM 1.4 (pam_start_confdir)
 */
public record PamService(String name, Optional<Path> folder) {
    /** The service of polkit. */
    public static final PamService POLKIT = new PamService("polkit-1", Optional.empty());

    private static final List<Path> SYSTEM =
            List.of(Path.of("/etc/pam.d"), Path.of("/usr/lib/pam.d"), Path.of("/usr/etc/pam.d"));

    public PamService {
        if (name.isEmpty() || name.indexOf('/') >= 0 || name.indexOf('\0') >= 0) {
            throw new IllegalArgumentException("not the name of a PAM service: \"" + name + "\"");
        }
    }

    /**
     * Checks that the service's file exists. Otherwise PAM would silently use the service "other".
     *
     * @throws PamUnavailableException if there is no such file
     */
    void requireFile() throws PamUnavailableException {
        List<Path> folders = folder.map(List::of).orElse(SYSTEM);
        if (folders.stream().noneMatch(each -> Files.isRegularFile(each.resolve(name)))) {
            throw new PamUnavailableException(
                    "PAM has no service "
                            + name
                            + " in "
                            + String.join(", ", folders.stream().map(Path::toString).toList())
                            + (name.equals(POLKIT.name)
                                    ? ": Debian's package polkitd brings it"
                                    : ": write it, see pam.d(5)"));
        }
    }
}
