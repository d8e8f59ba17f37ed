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
 * A cache of the message catalogues in a folder of gettext(3): {@code
 * LOCALE/LC_MESSAGES/DOMAIN.mo}. The least recently used catalogues are evicted. Any user can ask
 * for texts in any language, so the memory of all cached catalogues together is limited; only a
 * single catalogue, the one read last, may exceed the limit. Thread-safe.
 */
final class Catalogues {
    /** The catalogues of this machine. */
    static final Catalogues SYSTEM = new Catalogues(Path.of("/usr/share/locale"));

    /** The maximum number of bytes of one file. */
    static final int MAX_FILE_SIZE = 4 << 20;

    /** The maximum number of cached catalogues, including missing ones. */
    static final int MAX_KEPT = 64;

    /** How long a catalogue is cached. */
    static final long MAX_AGE_NANOS = 10_000_000_000L;

    /** The domains and locales that are accepted: no path leads out of the folder. */
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9_][A-Za-z0-9_.@+-]{0,63}");

    /** Memory of one message and its translation, without their characters. */
    private static final int BYTES_OF_ENTRY = 128;

    private final Path folder;
    private final long maxBytes;

    @GuardedBy("this")
    private final Map<Path, Kept> cache = new LinkedHashMap<>(16, 0.75f, true);

    @GuardedBy("this")
    private long bytes; // memory of all cached catalogues

    private record Kept(Map<String, String> messages, long bytes, long time) {
        static Kept of(Map<String, String> messages, long time) {
            long bytes = 0;
            for (Map.Entry<String, String> entry : messages.entrySet()) {
                int characters = entry.getKey().length() + entry.getValue().length();
                bytes += BYTES_OF_ENTRY + (long) Character.BYTES * characters;
            }
            return new Kept(messages, bytes, time);
        }
    }

    Catalogues(Path folder) {
        this(folder, LocalizedText.CATALOGUE_BYTES.value());
    }

    /**
     * Makes the catalogues of a folder.
     *
     * @param maxBytes memory of all cached catalogues
     */
    Catalogues(Path folder, long maxBytes) {
        this.folder = folder;
        this.maxBytes = maxBytes;
    }

    /** Finds the translation of a message for a locale, or for the nearest of its variants. */
    Optional<String> translation(String domain, String locale, String message) {
        if (!NAME.matcher(domain).matches() || !NAME.matcher(locale).matches()) {
            return Optional.empty();
        }
        for (String variant : LocalizedText.variants(locale)) {
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
        Kept known = cache.get(file);
        if (known == null || now - known.time > MAX_AGE_NANOS) {
            forget(file); // before the next one is read
            known = Kept.of(read(file), now);
            bytes += known.bytes;
            cache.put(file, known);
            while (cache.size() > MAX_KEPT || (bytes > maxBytes && cache.size() > 1)) {
                forget(cache.keySet().iterator().next());
            }
        }
        return known.messages;
    }

    @GuardedBy("this")
    private void forget(Path file) {
        Kept gone = cache.remove(file);
        if (gone != null) {
            bytes -= gone.bytes;
        }
    }

    synchronized int size() {
        return cache.size();
    }

    /** Returns the memory of all cached catalogues. */
    synchronized long bytes() {
        return bytes;
    }

    private static Map<String, String> read(Path file) {
        try (OpenedFile opened = OpenedFile.open(file, OpenHow.reading())) {
            return Catalogue.read(opened.readAll(MAX_FILE_SIZE));
        } catch (IOException e) {
            return Map.of(); // texts stay untranslated
        }
    }
}
