package io.holdfast.bus;

import io.holdfast.bus.config.ServiceFile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** As whom a service is started: the command that becomes that user, by setpriv(1). */
final class ServiceUser {
    private static final Path PASSWD = Path.of("/etc/passwd");

    // fields of passwd(5)
    private static final int NAME = 0;
    private static final int UID = 2;
    private static final int GID = 3;

    private final long own;

    /**
     * @param own the user of the bus
     */
    ServiceUser(long own) {
        this.own = own;
    }

    /** What stands before the command; nothing if it is the bus's own user, or none is said. */
    List<String> prefix(ServiceFile service) throws UnknownUserException {
        String user = service.user();
        if (user == null) {
            return List.of();
        }
        String[] entry = entry(user);
        if (Long.parseLong(entry[UID]) == own) {
            return List.of();
        }
        if (own != 0) {
            throw new UnknownUserException(
                    "its user is %s, and this bus runs as user %d, not as root"
                            .formatted(user, own));
        }
        return List.of(
                "setpriv", "--reuid=" + entry[UID], "--regid=" + entry[GID], "--init-groups", "--");
    }

    private static String[] entry(String user) throws UnknownUserException {
        try {
            for (String line : Files.readAllLines(PASSWD, StandardCharsets.ISO_8859_1)) {
                String[] fields = line.split(":", -1);
                if (fields.length > GID
                        && (fields[NAME].equals(user) || fields[UID].equals(user))
                        && isNumber(fields[UID])
                        && isNumber(fields[GID])) {
                    return fields;
                }
            }
        } catch (IOException e) {
            throw new UnknownUserException(PASSWD + " cannot be read: " + e.getMessage());
        }
        throw new UnknownUserException("there is no user " + user);
    }

    private static boolean isNumber(String text) {
        return !text.isEmpty() && text.length() < 11 && text.chars().allMatch(Character::isDigit);
    }
}
