package io.holdfast.manager.unit.value;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * The options of a mount, as in fstab(5): words and {@code name=value}, separated by commas. Quotes
 * protect a comma, as for mount(8).
 *
 * @param options in their order, without empty ones
 */
public record MountOptions(List<String> options) {
    /** No options. */
    public static final MountOptions NONE = new MountOptions(List.of());

    /** Options that mean something to fstab(5) only, and that mount(8) does not get. */
    private static final Set<String> OF_FSTAB = Set.of("nofail", "noauto", "auto");

    public MountOptions {
        options = List.copyOf(options);
    }

    public static MountOptions parse(String text) {
        List<String> options = new ArrayList<>();
        StringBuilder option = new StringBuilder();
        boolean quoted = false;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '"') {
                quoted = !quoted;
            }
            if (c == ',' && !quoted) {
                add(options, option);
            } else {
                option.append(c);
            }
        }
        add(options, option);
        return new MountOptions(options);
    }

    private static void add(List<String> options, StringBuilder option) {
        if (!option.isEmpty()) {
            options.add(option.toString());
            option.setLength(0);
        }
    }

    /** Returns whether it has an option, with or without a value. */
    public boolean has(String name) {
        return options.contains(name) || value(name).isPresent();
    }

    /** Returns the value of the last {@code name=value}. */
    public Optional<String> value(String name) {
        String start = name + "=";
        return options.reversed().stream()
                .filter(option -> option.startsWith(start))
                .map(option -> option.substring(start.length()))
                .findFirst();
    }

    /** Returns all values of {@code name=value}. */
    public List<String> values(String name) {
        String start = name + "=";
        return options.stream()
                .filter(option -> option.startsWith(start))
                .map(option -> option.substring(start.length()))
                .toList();
    }

    /** Returns the text for {@code mount -o}; empty if there is nothing to say. */
    public String forMount() {
        return String.join(
                ",", options.stream().filter(option -> !OF_FSTAB.contains(option)).toList());
    }

    @Override
    public String toString() {
        return String.join(",", options);
    }
}
