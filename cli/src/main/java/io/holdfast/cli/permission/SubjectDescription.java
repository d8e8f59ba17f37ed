package io.holdfast.cli.permission;

import io.holdfast.authority.rules.DescribedSubject;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Parses the description of a hypothetical subject, such as {@code
 * user=john,groups=users:wheel,local=yes}. Attributes that are not given mean no session, no group
 * and no unit.
 */
final class SubjectDescription {
    /** The syntax, for help and error messages. */
    static final String GRAMMAR =
            "user=NAME,uid=N,groups=A:B,netgroups=A:B,unit=NAME,nnp=yes|no,seat=NAME,session=ID,"
                    + "local=yes|no,active=yes|no,pid=N";

    private static final int PID = 1000;
    private static final long UID = 1000;

    private int pid = PID;
    private long uid = UID;
    private String user = "";
    private List<String> groups = List.of();
    private Optional<String> seat = Optional.empty();
    private Optional<String> session = Optional.empty();
    private boolean local;
    private boolean active;
    private Optional<String> unit = Optional.empty();
    private Optional<Boolean> noNewPrivileges = Optional.empty();
    private Set<String> netgroups = Set.of();

    private SubjectDescription() {}

    /**
     * Parses a description.
     *
     * @throws IllegalArgumentException if the syntax is invalid; the message is for the user
     */
    static DescribedSubject parse(String text) {
        SubjectDescription description = new SubjectDescription();
        Set<String> given = new HashSet<>();
        for (String pair : text.split(",", -1)) {
            int equals = pair.indexOf('=');
            if (equals <= 0) {
                throw new IllegalArgumentException(
                        "not NAME=VALUE: '" + pair + "'; expected " + GRAMMAR);
            }
            String name = pair.substring(0, equals);
            if (!given.add(name)) {
                throw new IllegalArgumentException("subject: " + name + " is given twice");
            }
            description.take(name, pair.substring(equals + 1));
        }
        return description.subject();
    }

    private void take(String name, String value) {
        switch (name) {
            case "user" -> user = value;
            case "uid" -> uid = number(name, value, 0xFFFF_FFFEL);
            case "pid" -> pid = (int) number(name, value, Integer.MAX_VALUE);
            case "groups" -> groups = names(value);
            case "netgroups" -> netgroups = Set.copyOf(names(value));
            case "unit" -> unit = Optional.of(value);
            case "nnp" -> noNewPrivileges = Optional.of(isYes(name, value));
            case "seat" -> seat = Optional.of(value);
            case "session" -> session = Optional.of(value);
            case "local" -> local = isYes(name, value);
            case "active" -> active = isYes(name, value);
            default ->
                    throw new IllegalArgumentException(
                            "subject: unknown attribute '" + name + "'; expected " + GRAMMAR);
        }
    }

    private static long number(String name, String value, long most) {
        try {
            long number = Long.parseLong(value);
            if (number >= 0 && number <= most) {
                return number;
            }
        } catch (NumberFormatException e) {
            // reported below
        }
        throw new IllegalArgumentException(
                "subject: " + name + " is not a number up to " + most + ": '" + value + "'");
    }

    private static List<String> names(String value) {
        return value.isEmpty()
                ? List.of()
                : List.of(value.split(":", -1)).stream().distinct().toList();
    }

    private static boolean isYes(String name, String value) {
        return switch (value) {
            case "yes" -> true;
            case "no" -> false;
            default ->
                    throw new IllegalArgumentException(
                            "subject: " + name + " is neither yes nor no: '" + value + "'");
        };
    }

    /** Returns the subject. If no user name is given, the UID serves as the name. */
    private DescribedSubject subject() {
        return new DescribedSubject(
                pid,
                uid,
                user.isEmpty() ? Long.toString(uid) : user,
                groups,
                seat,
                session,
                local,
                active,
                unit,
                // as for a real process: if its unit is known, so is no_new_privs
                unit.isPresent() ? noNewPrivileges.or(() -> Optional.of(false)) : noNewPrivileges,
                netgroups);
    }
}
