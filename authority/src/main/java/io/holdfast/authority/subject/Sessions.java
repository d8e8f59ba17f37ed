package io.holdfast.authority.subject;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.file.FileException;
import io.holdfast.core.file.OpenHow;
import io.holdfast.core.file.OpenedFile;
import io.holdfast.core.file.folder.FolderWatch;
import io.holdfast.core.process.Cgroup;
import io.holdfast.core.process.CgroupPath;
import io.holdfast.core.process.CgroupPlace;
import io.holdfast.core.process.PidFd;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The login sessions of this machine, from the files that logind writes for sd-login(3): {@code
 * sessions/ID} and {@code users/UID} in {@code /run/systemd}, lines of {@code NAME=VALUE} (systemd,
 * src/login/logind-session.c and logind-user.c: {@code session_save}, {@code user_save}; read as in
 * src/libsystemd/sd-login/sd-login.c). logind replaces a file by a rename, so a reader never sees a
 * half-written one.
 *
 * <p>Nothing is cached: each method reads two or three small files of a tmpfs. Without logind there
 * are no sessions. Thread-safe.
 */
public final class Sessions {
    /** The folder in which logind writes its files. */
    public static final Path FOLDER = Path.of("/run/systemd");

    /** The maximum number of bytes of one file; a larger one counts as missing. */
    public static final int MAX_FILE_SIZE = 64 << 10;

    private static final int MAX_ID_LENGTH = 255;
    private static final Pattern UID = Pattern.compile("0|[1-9][0-9]{0,9}");
    private static final long NOBODY = 0xFFFF_FFFFL;

    private final Path sessions;
    private final Path users;
    private final CgroupPath root;

    /**
     * Makes the sessions of a folder.
     *
     * @param folder the parent of {@code sessions} and {@code users}
     * @param root the root cgroup of the manager that makes the sessions' scopes
     */
    public Sessions(Path folder, CgroupPath root) {
        this.sessions = folder.resolve("sessions");
        this.users = folder.resolve("users");
        this.root = root;
    }

    /** Returns this machine's sessions; cgroups are relative to PID 1's, if PID 1 is visible. */
    public static Sessions ofMachine() {
        return new Sessions(FOLDER, Cgroup.managerRoot());
    }

    /**
     * Finds the session that a process belongs to, by its present cgroup, if {@link CgroupPlace}
     * trusts the cgroup's name. Processes of the user's own manager belong to no session.
     *
     * @throws ErrnoException ESRCH if the process is reaped
     */
    public Optional<Session> own(PidFd process) {
        return place(process).flatMap(CgroupPath::session).flatMap(this::session);
    }

    /**
     * Finds the session that counts for decisions about a process: its own, or else the display
     * session of the user in whose slice the process is.
     *
     * @throws ErrnoException ESRCH if the process is reaped
     */
    public Optional<Session> of(PidFd process) {
        Optional<CgroupPath> place = place(process);
        if (place.isEmpty()) {
            return Optional.empty();
        }
        Optional<String> id = place.get().session();
        if (id.isPresent()) {
            return session(id.get());
        }
        OptionalLong uid = place.get().ownerUid();
        return uid.isPresent() ? display(uid.getAsLong()) : Optional.empty();
    }

    private Optional<CgroupPath> place(PidFd process) {
        return CgroupPlace.of(process, root);
    }

    /**
     * Finds a session by its id.
     *
     * @return empty if there is none of this id
     */
    public Optional<Session> session(String id) {
        if (!isId(id)) {
            return Optional.empty();
        }
        Map<String, String> file = read(sessions.resolve(id));
        String uid = file.getOrDefault("UID", "");
        if (!UID.matcher(uid).matches() || Long.parseLong(uid) >= NOBODY) {
            return Optional.empty();
        }
        return Optional.of(
                new Session(
                        id,
                        Long.parseLong(uid),
                        file.getOrDefault("USER", ""),
                        Optional.ofNullable(file.get("SEAT")).filter(seat -> !seat.isEmpty()),
                        file.getOrDefault("STATE", ""),
                        file.getOrDefault("TYPE", ""),
                        isYes(file.get("ACTIVE")),
                        isActive(Long.parseLong(uid)),
                        isYes(file.get("REMOTE"))));
    }

    /** Finds a user's primary graphical or text session, as sd_uid_get_display(3). */
    public Optional<Session> display(long uid) {
        return Optional.ofNullable(read(users.resolve(Long.toString(uid))).get("DISPLAY"))
                .flatMap(this::session);
    }

    /** Returns whether any session of the user is active, as sd_uid_get_state(3). */
    public boolean isActive(long uid) {
        return "active".equals(read(users.resolve(Long.toString(uid))).get("STATE"));
    }

    /**
     * Watches for changes of sessions and users.
     *
     * @param changed called after each change, as by {@link FolderWatch}
     * @throws IOException as {@link FolderWatch} does
     */
    public FolderWatch watch(Runnable changed) throws IOException {
        return new FolderWatch(List.of(sessions, users), Sessions::isId, changed);
    }

    /**
     * Returns whether this is an id of letters and digits only, so that no path leads out of the
     * folder or to the FIFOs {@code ID.ref} in it.
     */
    private static boolean isId(String id) {
        return !id.isEmpty()
                && id.length() <= MAX_ID_LENGTH
                && id.chars()
                        .allMatch(c ->
                                (c >= '0' && c <= '9')
                                        || (c >= 'a' && c <= 'z')
                                        || (c >= 'A' && c <= 'Z'));
    }

    private static boolean isYes(@Nullable String value) {
        return "1".equals(value) || "yes".equals(value);
    }

    /** Reads the lines of a file; none if it is missing, not a regular file, or too large. */
    private static Map<String, String> read(Path file) {
        byte[] bytes;
        try (OpenedFile opened = OpenedFile.open(file, OpenHow.reading())) {
            bytes = opened.readAll(MAX_FILE_SIZE);
        } catch (FileException e) {
            return Map.of();
        }
        Map<String, String> values = new HashMap<>();
        for (String line : new String(bytes, UTF_8).split("\n", -1)) {
            int equals = line.indexOf('=');
            if (equals > 0 && !line.startsWith("#")) {
                values.put(line.substring(0, equals), unquoted(line.substring(equals + 1)));
            }
        }
        return values;
    }

    /**
     * Removes the quotes around values that contain a shell's special characters (env_file_fputs).
     */
    private static String unquoted(String value) {
        if (value.length() < 2 || !value.startsWith("\"") || !value.endsWith("\"")) {
            return value;
        }
        StringBuilder text = new StringBuilder();
        for (int i = 1; i < value.length() - 1; i++) {
            if (value.charAt(i) == '\\' && i + 1 < value.length() - 1) {
                i++;
            }
            text.append(value.charAt(i));
        }
        return text.toString();
    }
}
