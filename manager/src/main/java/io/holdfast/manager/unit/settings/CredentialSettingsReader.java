package io.holdfast.manager.unit.settings;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.holdfast.manager.unit.directive.Assignment;
import io.holdfast.manager.unit.directive.SectionReader;
import io.holdfast.manager.unit.host.Specifiers;
import io.holdfast.manager.unit.settings.CredentialSettings.Content;
import io.holdfast.manager.unit.settings.CredentialSettings.Import;
import io.holdfast.manager.unit.settings.CredentialSettings.Source;
import io.holdfast.manager.unit.value.Scalars;
import io.holdfast.manager.unit.value.WordReader;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Reads {@link CredentialSettings}. */
final class CredentialSettingsReader implements SectionReader {
    private static final String A_NAME =
            "the name of a credential (ASCII, without slash and colon)";

    private final Map<String, Source> loaded = new LinkedHashMap<>();
    private final List<Import> imported = new ArrayList<>();
    private final Map<String, Content> given = new LinkedHashMap<>();

    @Override
    public boolean assign(Assignment a) {
        switch (a.key()) {
            case "LoadCredential" -> load(a, false);
            case "LoadCredentialEncrypted" -> load(a, true);
            case "ImportCredential" -> importCredential(a);
            case "SetCredential" -> give(a, false);
            case "SetCredentialEncrypted" -> give(a, true);
            default -> {
                return false;
            }
        }
        return true;
    }

    /** {@code NAME[:PATH]}; without a path it is a credential of this name in a store. */
    private void load(Assignment a, boolean isEncrypted) {
        if (a.isEmpty()) {
            loaded.clear();
            return;
        }
        parsed(
                a,
                text -> {
                    String[] parts = split(text);
                    String name = name(a.specifiers().expand(parts[0]));
                    String path = parts[1].isEmpty() ? name : source(a.specifiers(), parts[1]);
                    Source _ = loaded.put(name, new Source(path, isEncrypted));
                });
    }

    private static String source(Specifiers specifiers, String text) {
        String path = specifiers.expand(text);
        if (path.startsWith("/")) {
            return Scalars.parsePath(path);
        }
        if (!CredentialSettings.isName(path)) {
            throw Scalars.bad("an absolute path or " + A_NAME, path);
        }
        return path;
    }

    /** {@code PATTERN[:NAME]}, where only the last character of a pattern may be a wildcard. */
    private void importCredential(Assignment a) {
        if (a.isEmpty()) {
            imported.clear();
            return;
        }
        parsed(
                a,
                text -> {
                    String[] parts = split(text);
                    String pattern = a.specifiers().expand(parts[0]);
                    String prefix =
                            pattern.endsWith("*")
                                    ? pattern.substring(0, pattern.length() - 1)
                                    : pattern;
                    boolean isPattern =
                            prefix.chars().noneMatch(c -> "*?[".indexOf(c) >= 0)
                                    && (CredentialSettings.isName(prefix) || pattern.equals("*"));
                    if (!isPattern) {
                        throw Scalars.bad(
                                A_NAME + ", with an asterisk at most at its end", pattern);
                    }
                    String rename = a.specifiers().expand(parts[1]);
                    imported.add(new Import(pattern, rename.isEmpty() ? "" : name(rename)));
                });
    }

    /** {@code NAME:CONTENT}. Neither a bad content nor a part of it is repeated in a message. */
    private void give(Assignment a, boolean isEncrypted) {
        if (a.isEmpty()) {
            given.clear();
            return;
        }
        parsed(
                a,
                text -> {
                    if (text.indexOf(':') < 0) {
                        throw new IllegalArgumentException("no NAME:CONTENT");
                    }
                    String[] parts = split(text);
                    String name = name(a.specifiers().expand(parts[0]));
                    Content _ = given.put(name, content(parts[1], isEncrypted));
                });
    }

    private static Content content(String text, boolean isEncrypted) {
        try {
            if (isEncrypted) {
                String encoded = text.replaceAll("\\s", "");
                byte[] _ = Base64.getDecoder().decode(encoded);
                return new Content(encoded, true);
            }
            return new Content(new String(WordReader.unescape(text), ISO_8859_1), false);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(
                    isEncrypted
                            ? "the content is not Base64"
                            : "the content has a backslash that begins no escape",
                    e);
        }
    }

    private interface Parser {
        void parse(String text);
    }

    private static void parsed(Assignment a, Parser parser) {
        boolean _ =
                a.value(
                        false,
                        text -> {
                            parser.parse(text);
                            return true;
                        });
    }

    /** Returns what is before and after the first colon. */
    private static String[] split(String text) {
        int colon = text.indexOf(':');
        return new String[] {
            colon < 0 ? text : text.substring(0, colon), colon < 0 ? "" : text.substring(colon + 1)
        };
    }

    private static String name(String text) {
        if (!CredentialSettings.isName(text)) {
            throw Scalars.bad(A_NAME, text);
        }
        return text;
    }

    CredentialSettings build() {
        return loaded.isEmpty() && imported.isEmpty() && given.isEmpty()
                ? CredentialSettings.NONE
                : new CredentialSettings(loaded, imported, given);
    }
}
