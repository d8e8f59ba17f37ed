package io.holdfast.authority.action;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.holdfast.core.file.OpenHow;
import io.holdfast.core.file.OpenedFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * Catalogues of translated messages, in a folder as gettext(3) has them: {@code
 * LOCALE/LC_MESSAGES/DOMAIN.mo}. Safe for use by any thread.
 */
final class Catalogues {
    /** Of this machine. */
    static final Catalogues SYSTEM = new Catalogues(Path.of("/usr/share/locale"));

    /** Bytes of one catalogue. */
    static final int MAX_FILE_SIZE = 4 << 20;

    /** Catalogues that are kept, those that are not there too. */
    static final int MAX_KEPT = 64;

    /** How long one is kept. */
    static final long MAX_AGE_NANOS = 10_000_000_000L;

    /** What clients call a locale: no path leads out of the folder. */
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9_][A-Za-z0-9_.@+-]{0,63}");

    private final Path folder;

    @GuardedBy("this")
    private final Map<Path, Kept> kept = new LinkedHashMap<>(16, 0.75f, true);

    private record Kept(Map<String, String> messages, long time) {}

    Catalogues(Path folder) {
        this.folder = folder;
    }

    /** The translation of a message for a locale, or for the nearest of its variants. */
    Optional<String> translation(String domain, String locale, String message) {
        if (!NAME.matcher(domain).matches() || !NAME.matcher(locale).matches()) {
            return Optional.empty();
        }
        for (String variant : Text.variants(locale)) {
            Path file = folder.resolve(variant).resolve("LC_MESSAGES").resolve(domain + ".mo");
            String translation = messages(file).get(message);
            if (translation != null) {
                return Optional.of(translation);
            }
        }
        return Optional.empty();
    }

    private synchronized Map<String, String> messages(Path file) {
        long now = System.nanoTime();
        Kept known = kept.get(file);
        if (known == null || now - known.time > MAX_AGE_NANOS) {
            known = new Kept(read(file), now);
            kept.put(file, known);
            if (kept.size() > MAX_KEPT) {
                kept.remove(kept.keySet().iterator().next());
            }
        }
        return known.messages;
    }

    synchronized int size() {
        return kept.size();
    }

    private static Map<String, String> read(Path file) {
        try (OpenedFile opened = OpenedFile.open(file, OpenHow.reading())) {
            return Catalogue.read(opened.readAll(MAX_FILE_SIZE));
        } catch (IOException e) {
            return Map.of(); // a text stays untranslated
        }
    }
}
