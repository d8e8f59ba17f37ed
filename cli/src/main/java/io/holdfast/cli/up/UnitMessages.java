package io.holdfast.cli.up;

import io.holdfast.core.sys.Unistd;
import io.holdfast.journal.Entry;
import io.holdfast.journal.Match;
import java.util.List;
import java.util.Optional;

/**
 * Decides which messages of a journal are those of a unit, for the user who reads it.
 *
 * <p>Any user can send a message that names a unit in {@code UNIT=}, and can run a program in a
 * cgroup that is named like a unit ({@code _SYSTEMD_USER_UNIT=}). Such a message counts only if its
 * sender is root, for units of the system, or the reader, for units of the reader's own manager.
 */
public final class UnitMessages {
    private static final String ROOT = "0";
    private static final String READER = Long.toString(Unistd.geteuid());

    private UnitMessages() {}

    /** Returns the messages of a unit, and those of managers and of receivers about it. */
    public static Match of(String unit) {
        return Match.any(
                List.of(
                        Match.field("_SYSTEMD_UNIT", unit),
                        ofReader(Match.field("_SYSTEMD_USER_UNIT", unit)),
                        sentBy(ROOT, "UNIT", unit),
                        sentBy(ROOT, "OBJECT_SYSTEMD_UNIT", unit),
                        sentBy(READER, "USER_UNIT", unit),
                        sentBy(READER, "OBJECT_SYSTEMD_USER_UNIT", unit),
                        Match.all(
                                List.of(
                                        Match.field("OBJECT_SYSTEMD_UNIT", unit),
                                        Match.field("_TRANSPORT", "driver")))));
    }

    /** Returns the messages of one run of a unit, and those of managers about it. */
    public static Match ofInvocation(String id) {
        return Match.any(
                List.of(
                        Match.field("_SYSTEMD_INVOCATION_ID", id),
                        sentBy(ROOT, "INVOCATION_ID", id),
                        sentBy(READER, "USER_INVOCATION_ID", id)));
    }

    private static Match sentBy(String user, String field, String value) {
        return Match.all(List.of(Match.field(field, value), Match.field("_UID", user)));
    }

    /** Root's messages come also from programs that are executed as root in a user's cgroup. */
    private static Match ofReader(Match unit) {
        return READER.equals(ROOT)
                ? Match.all(
                        List.of(
                                unit,
                                Match.field("_UID", ROOT),
                                Match.field("_SYSTEMD_OWNER_UID", ROOT)))
                : Match.all(List.of(unit, Match.field("_UID", READER)));
    }

    /** Returns the unit to which a message belongs: of the reader's own manager, or the system. */
    static Optional<String> unitOf(Entry entry) {
        boolean isOfReader =
                isUser(entry, "_UID")
                        && (!READER.equals(ROOT) || isUser(entry, "_SYSTEMD_OWNER_UID"));
        return entry.text("_SYSTEMD_USER_UNIT")
                .filter(_ -> isOfReader)
                .or(() -> entry.text("_SYSTEMD_UNIT"));
    }

    private static boolean isUser(Entry entry, String field) {
        return entry.text(field).filter(READER::equals).isPresent();
    }
}
