package io.holdfast.authority.subject;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.file.FileException;
import io.holdfast.core.file.FolderWatch;
import io.holdfast.core.file.OpenHow;
import io.holdfast.core.file.OpenedFile;
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
 * The login sessions of this machine, from the files that logind keeps for sd-login(3): {@code
 * sessions/ID} and {@code users/UID} in {@code /run/systemd}, lines of {@code NAME=VALUE} (systemd,
 * src/login/logind-session.c and logind-user.c: {@code session_save}, {@code user_save}; what is
 * asked of them is as in src/libsystemd/sd-login/sd-login.c). A file is replaced by a rename, so
 * that none is ever seen half-written.
 *
 * <p>Nothing is kept from one question to the next; each reads two or three small files of a tmpfs.
 * Where there is no logind there are no sessions. Safe for use by any thread.
 */
public final class Sessions {
    /** Where logind keeps them. */
    public static final Path FOLDER = Path.of("/run/systemd");

    /** Bytes of one file; a larger one counts as missing. */
    public static final int MAX_FILE_SIZE = 64 << 10;

    private static final int MAX_ID_LENGTH = 255;
    private static final Pattern UID = Pattern.compile("0|[1-9][0-9]{0,9}");
    private static final long NOBODY = 0xFFFF_FFFFL;

    private final Path sessions;
    private final Path users;
    private final CgroupPath root;

    /**
     * @param folder in which {@code sessions} and {@code users} are
     * @param root of the cgroups of the manager that makes sessions' scopes
     */
    public Sessions(Path folder, CgroupPath root) {
        this.sessions = folder.resolve("sessions");
        this.users = folder.resolve("users");
        this.root = root;
    }

    /** Those of this machine; where PID 1 can be seen, as seen from its cgroup. */
    public static Sessions ofMachine() {
        return new Sessions(FOLDER, Cgroup.managerRoot());
    }

    /**
     * The session that a process belongs to, by its cgroup now, if {@link CgroupPlace} believes
     * that name. Processes of the user's own manager belong to none.
     *
     * @throws ErrnoException ESRCH if the process is reaped
     */
    public Optional<Session> own(PidFd process) {
        return place(process).flatMap(CgroupPath::session).flatMap(this::session);
    }

    /**
     * The session that is a process's for decisions: its own or, where it is in none, the display
     * session of the user whose slice it is in.
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
     * A session.
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

    /** The session in which a user is to be spoken to, as sd_uid_get_display(3). */
    public Optional<Session> display(long uid) {
        return Optional.ofNullable(read(users.resolve(Long.toString(uid))).get("DISPLAY"))
                .flatMap(this::session);
    }

    /** Whether a user is active in any session, as sd_uid_get_state(3). */
    public boolean isActive(long uid) {
        return "active".equals(read(users.resolve(Long.toString(uid))).get("STATE"));
    }

    /**
     * Tells when sessions or users have changed.
     *
     * @param changed as {@link FolderWatch} calls it
     * @throws IOException as {@link FolderWatch}
     */
    public FolderWatch watch(Runnable changed) throws IOException {
        return new FolderWatch(List.of(sessions, users), Sessions::isId, changed);
    }

    /**
     * Letters and digits: no path leads out of the folder, nor to the FIFOs {@code ID.ref} in it.
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

    /** The lines of a file; none if it is not there, or is no such file. */
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

    /** Values with characters that a shell would look at stand in quotes (env_file_fputs). */
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
