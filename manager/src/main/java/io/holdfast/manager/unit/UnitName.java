package io.holdfast.manager.unit;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;

/**
 * A valid unit name: {@code prefix.type}, a template {@code prefix@.type}, or an instance {@code
 * prefix@instance.type}. Ordered by its text.
 *
 * @param text at most {@value #MAX_LENGTH} characters of {@code A-Z a-z 0-9 : _ . \ - @}
 * @see <a
 *     href="https://www.freedesktop.org/software/systemd/man/systemd.unit.html">systemd.unit</a>
 */
public record UnitName(String text) implements Comparable<UnitName> {
    /** Characters of a name, with its suffix; each is one byte. */
    public static final int MAX_LENGTH = 255;

    /**
     * Checks a name.
     *
     * @throws IllegalArgumentException if it is not a unit name; the message says why
     */
    public UnitName {
        problem(text)
                .ifPresent(why -> {
                    throw new IllegalArgumentException(
                            "not a unit name: " + Quote.of(text) + " (" + why + ")");
                });
    }

    /**
     * Returns the name for a text.
     *
     * @throws IllegalArgumentException if it is not a unit name
     */
    public static UnitName of(String text) {
        return new UnitName(text);
    }

    /** Returns the name for a text; empty if it is not a unit name. */
    public static Optional<UnitName> parse(String text) {
        return problem(text).isEmpty() ? Optional.of(new UnitName(text)) : Optional.empty();
    }

    /**
     * Returns the unit that a user's input means: a path is a {@code .mount} (or below {@code /dev}
     * a {@code .device}), a name without suffix is a service; characters that no name can contain
     * are escaped.
     *
     * @throws IllegalArgumentException if the input cannot become a name (empty, too long)
     */
    public static UnitName ofUserInput(String words) {
        if (words.startsWith("/")) {
            boolean device = words.equals("/dev") || words.startsWith("/dev/");
            UnitType type = device ? UnitType.DEVICE : UnitType.MOUNT;
            return of(UnitEscape.escapePath(words) + type.suffix());
        }
        String name = UnitEscape.escapeInvalid(words);
        return parse(name).orElseGet(() -> of(name + UnitType.SERVICE.suffix()));
    }

    private static Optional<String> problem(String text) {
        if (text.length() > MAX_LENGTH) {
            return Optional.of("longer than " + MAX_LENGTH + " characters");
        }
        int at = text.indexOf('@');
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c != '@' && !UnitEscape.isPlain(c)) {
                return Optional.of("character " + Quote.of(String.valueOf(c)));
            }
        }
        Optional<UnitType> type = UnitType.ofName(text);
        if (type.isEmpty()) {
            return Optional.of("no suffix such as .service");
        }
        if (at == 0 || type.get().suffix().length() == text.length()) {
            return Optional.of("nothing before the suffix or the @");
        }
        return Optional.empty();
    }

    /** {@return the type, by the suffix} */
    public UnitType type() {
        return UnitType.ofName(text).orElseThrow();
    }

    /** {@return the name without the suffix} */
    public String stem() {
        return text.substring(0, text.length() - type().suffix().length());
    }

    /** {@return the part before the first {@code @}, or the whole stem} */
    public String prefix() {
        int at = text.indexOf('@');
        return at < 0 ? stem() : text.substring(0, at);
    }

    /** {@return the part between {@code @} and the suffix; empty for plain names and templates} */
    public Optional<String> instance() {
        return isInstance()
                ? Optional.of(stem().substring(prefix().length() + 1))
                : Optional.empty();
    }

    /** {@return whether it is neither a template nor an instance} */
    public boolean isPlain() {
        return text.indexOf('@') < 0;
    }

    /** {@return whether the suffix follows the {@code @} directly} */
    public boolean isTemplate() {
        return !isPlain() && stem().length() == prefix().length() + 1;
    }

    /** {@return whether there is text between the {@code @} and the suffix} */
    public boolean isInstance() {
        return !isPlain() && !isTemplate();
    }

    /** {@return the template of an instance} */
    public Optional<UnitName> template() {
        return isInstance() ? Optional.of(of(prefix() + "@" + type().suffix())) : Optional.empty();
    }

    /**
     * Returns an instance of this template (or of this instance's template).
     *
     * @throws IllegalArgumentException if this is a plain name, or the result is not a valid name
     */
    public UnitName withInstance(String instance) {
        if (isPlain()) {
            throw new IllegalArgumentException(text + " is no template");
        }
        return of(prefix() + "@" + instance + type().suffix());
    }

    /**
     * Returns a slice's ancestors from the top and then the slice, without {@code -.slice}: {@code
     * a.slice, a-b.slice}. They are the components of its cgroup path.
     *
     * @throws IllegalArgumentException if this is not the name of a slice, or it has leading,
     *     trailing or double dashes
     */
    public List<UnitName> slicePath() {
        String stem = stem();
        if (type() != UnitType.SLICE || !isPlain()) {
            throw new IllegalArgumentException(text + " is no slice");
        }
        if (stem.equals("-")) {
            return List.of();
        }
        if (stem.startsWith("-") || stem.endsWith("-") || stem.contains("--")) {
            throw new IllegalArgumentException(text + " is no slice: an empty part between dashes");
        }
        List<UnitName> path = new ArrayList<>();
        for (int dash = stem.indexOf('-'); dash >= 0; dash = stem.indexOf('-', dash + 1)) {
            path.add(of(stem.substring(0, dash) + type().suffix()));
        }
        path.add(this);
        return Collections.unmodifiableList(path);
    }

    @Override
    public int compareTo(UnitName other) {
        return text.compareTo(other.text);
    }

    @Override
    public String toString() {
        return text;
    }
}
