package io.holdfast.authority.action;

import io.holdfast.core.limit.Limit;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A text for people, with its translations.
 *
 * @param untranslated used for a locale without a translation
 * @param translations by the locale in {@code xml:lang}
 * @param gettextDomain the catalogue with further translations, if any
 */
public record LocalizedText(
        String untranslated, Map<String, String> translations, Optional<String> gettextDomain) {
    /** The memory of all cached catalogues. */
    public static final Limit CATALOGUE_BYTES =
            Limit.bytes(
                    "io.holdfast.authority.catalogueBytes",
                    4L << 20,
                    "bytes of memory of the cached catalogues of translated messages");

    /** The empty text. */
    public static final LocalizedText EMPTY = of("");

    public LocalizedText {
        translations = Map.copyOf(translations);
    }

    /** Makes a text without translations. */
    public static LocalizedText of(String untranslated) {
        return new LocalizedText(untranslated, Map.of(), Optional.empty());
    }

    /**
     * Returns the text for a locale: that of its domain's catalogue if there is one, else the
     * translation for the locale or for the nearest of its {@link #variants}, else the untranslated
     * text. May block while it reads a catalogue that is not cached.
     *
     * @param locale as in {@code LANG}: {@code de_AT.UTF-8}; empty for the untranslated text
     */
    public String in(String locale) {
        return in(locale, Catalogues.SYSTEM);
    }

    String in(String locale, Catalogues catalogues) {
        if (locale.isEmpty()) {
            return untranslated;
        }
        Optional<String> catalogued =
                gettextDomain.flatMap(
                        domain -> catalogues.translation(domain, locale, untranslated));
        if (catalogued.isPresent()) {
            return catalogued.get();
        }
        for (String variant : variants(locale)) {
            String translation = translations.get(variant);
            if (translation != null) {
                return translation;
            }
        }
        return untranslated;
    }

    /**
     * Lists the locales to look for, the nearest first: {@code de_AT.UTF-8@euro}, {@code
     * de_AT@euro}, {@code de.UTF-8@euro}, {@code de@euro}, {@code de_AT.UTF-8}, {@code de_AT},
     * {@code de.UTF-8}, {@code de}.
     */
    static List<String> variants(String locale) {
        int at = locale.indexOf('@');
        String modifier = at < 0 ? "" : locale.substring(at);
        String rest = at < 0 ? locale : locale.substring(0, at);
        int dot = rest.indexOf('.');
        String codeset = dot < 0 ? "" : rest.substring(dot);
        rest = dot < 0 ? rest : rest.substring(0, dot);
        int underscore = rest.indexOf('_');
        String territory = underscore < 0 ? "" : rest.substring(underscore);
        String language = underscore < 0 ? rest : rest.substring(0, underscore);
        List<String> variants = new ArrayList<>(8);
        for (String m : withAndWithout(modifier)) {
            for (String t : withAndWithout(territory)) {
                for (String c : withAndWithout(codeset)) {
                    variants.add(language + t + c + m);
                }
            }
        }
        return variants;
    }

    private static List<String> withAndWithout(String part) {
        return part.isEmpty() ? List.of("") : List.of(part, "");
    }

    /** Returns the untranslated text. */
    @Override
    public String toString() {
        return untranslated;
    }
}
