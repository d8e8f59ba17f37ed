package io.holdfast.authority.action;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/** A builder of an action, used while its element is read. */
final class Declaration {
    /** A text and its translations. */
    static final class Words {
        private String untranslated = "";
        private final Map<String, String> translations = new HashMap<>();
        private Optional<String> gettextDomain = Optional.empty();

        void add(String text, Map<String, String> attributes) {
            String language = attributes.get("xml:lang");
            if (language != null) {
                translations.put(language, text);
            } else {
                untranslated = text;
                gettextDomain = Optional.ofNullable(attributes.get("gettext-domain"));
            }
        }

        private LocalizedText text() {
            return new LocalizedText(untranslated, translations, gettextDomain);
        }
    }

    private final String id;
    private final SourceLine place;
    final Words description = new Words();
    final Words message = new Words();
    String vendor = "";
    String vendorUrl = "";
    String iconName = "";
    ImplicitAuthorization any = ImplicitAuthorization.NO;
    ImplicitAuthorization inactive = ImplicitAuthorization.NO;
    ImplicitAuthorization active = ImplicitAuthorization.NO;
    final Map<String, String> annotations = new HashMap<>();

    Declaration(String id, SourceLine place) {
        this.id = id;
        this.place = place;
    }

    /**
     * Builds the action, once its element has ended.
     *
     * @param vendor the file's, used if the action has none; likewise the next two
     */
    Action action(String vendor, String vendorUrl, String iconName) {
        return new Action(
                id,
                description.text(),
                message.text(),
                either(this.vendor, vendor),
                either(this.vendorUrl, vendorUrl),
                either(this.iconName, iconName),
                any,
                inactive,
                active,
                annotations,
                place);
    }

    private static String either(String own, String ofFile) {
        return own.isEmpty() ? ofFile : own;
    }
}
