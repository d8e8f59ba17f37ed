package io.holdfast.journal;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A condition on the fields of entries. The indexes of the files find the entries that match.
 *
 * <pre>{@code
 * Match web = Match.field("_SYSTEMD_UNIT", "web.service");
 * Match errors = Match.any(List.of(Match.field("PRIORITY", "2"), Match.field("PRIORITY", "3")));
 * reader.filter(Match.all(List.of(web, errors)));
 * }</pre>
 *
 * <p>Immutable.
 */
public sealed interface Match {
    /**
     * An entry that has a field.
     *
     * @param field the field, with its whole value
     */
    record Equal(Field field) implements Match {}

    /**
     * An entry that matches all of several conditions.
     *
     * @param terms the conditions, one or more
     */
    record All(List<Match> terms) implements Match {
        /** Copies the conditions. */
        public All {
            terms = requireSome(terms);
        }
    }

    /**
     * An entry that matches one of several conditions.
     *
     * @param terms the conditions, one or more
     */
    record Any(List<Match> terms) implements Match {
        /** Copies the conditions. */
        public Any {
            terms = requireSome(terms);
        }
    }

    private static List<Match> requireSome(List<Match> terms) {
        if (terms.isEmpty()) {
            throw new IllegalArgumentException("a condition without terms");
        }
        return List.copyOf(terms);
    }

    /**
     * {@return a condition: the entry has this field}
     *
     * @param name the name of the field
     * @param value its whole value
     */
    static Match field(String name, String value) {
        return new Equal(Field.of(name, value));
    }

    /**
     * {@return a condition: all of the terms}
     *
     * @param terms the conditions, one or more
     */
    static Match all(List<Match> terms) {
        return new All(terms);
    }

    /**
     * {@return a condition: one of the terms}
     *
     * @param terms the conditions, one or more
     */
    static Match any(List<Match> terms) {
        return new Any(terms);
    }

    /**
     * Combines fields as {@code journalctl FIELD=VALUE…} does: one of the values for each name, and
     * all of the names.
     *
     * @param fields the fields, one or more
     * @return the condition
     */
    static Match of(List<Field> fields) {
        Map<String, List<Match>> byName = new LinkedHashMap<>();
        for (Field field : fields) {
            byName.computeIfAbsent(field.name(), _ -> new ArrayList<>()).add(new Equal(field));
        }
        return all(byName.values().stream().map(Match::any).toList());
    }
}
