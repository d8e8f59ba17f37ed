package io.holdfast.manager.unit;

import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What a package's maintainer script wants to be done with a unit later, together with all other
 * marked units ({@code systemctl reload-or-restart --marked}). The words are those of systemd 257.
 */
public enum UnitMarker {
    NEEDS_RELOAD,
    NEEDS_RESTART;

    public String word() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /** Returns the words, in systemd's order. */
    public static List<String> words(Set<UnitMarker> markers) {
        return Stream.of(values()).filter(markers::contains).map(UnitMarker::word).toList();
    }

    /** Returns whether a unit that enters a state no longer needs it. */
    public boolean endsIn(ActiveState state) {
        return switch (state) {
            case INACTIVE, FAILED -> true;
            case RELOADING -> this == NEEDS_RELOAD;
            case ACTIVATING, ACTIVE, DEACTIVATING -> false;
        };
    }

    private static Optional<UnitMarker> ofWord(String word) {
        return Stream.of(values()).filter(marker -> marker.word().equals(word)).findFirst();
    }

    /** A change of the markers of a unit: first some are removed, then some are added. */
    public record Change(Set<UnitMarker> removed, Set<UnitMarker> added) {
        /** Removes all. */
        public static final Change NONE = new Change(EnumSet.allOf(UnitMarker.class), Set.of());

        /**
         * Reads a list of words: {@code +} adds a marker and {@code -} removes it; words without
         * these replace all markers. No words change nothing.
         *
         * @throws IllegalArgumentException if a marker is unknown, or if words of both kinds occur
         */
        public static Change parse(List<String> words) {
            Set<UnitMarker> named = EnumSet.noneOf(UnitMarker.class);
            Set<UnitMarker> added = EnumSet.noneOf(UnitMarker.class);
            long relative = 0;
            for (String word : words) {
                boolean isRelative = word.startsWith("+") || word.startsWith("-");
                String name = isRelative ? word.substring(1) : word;
                UnitMarker marker =
                        ofWord(name)
                                .orElseThrow(() ->
                                        new IllegalArgumentException(
                                                "Unknown marker \"%s\"; there are: %s"
                                                        .formatted(
                                                                name,
                                                                Stream.of(values())
                                                                        .map(UnitMarker::word)
                                                                        .collect(
                                                                                Collectors.joining(
                                                                                        " ")))));
                relative += isRelative ? 1 : 0;
                boolean _ = named.add(marker);
                boolean _ = word.startsWith("-") ? added.remove(marker) : added.add(marker);
            }
            if (relative != 0 && relative != words.size()) {
                throw new IllegalArgumentException(
                        "Bad marker syntax: markers with + or -, and markers without, in one list");
            }
            boolean replaces = relative == 0 && !words.isEmpty();
            return new Change(replaces ? NONE.removed() : named, added);
        }
    }
}
