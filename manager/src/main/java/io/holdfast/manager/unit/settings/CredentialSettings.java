package io.holdfast.manager.unit.settings;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/**
 * The credentials of a unit, by name.
 *
 * @param loaded from files, folders and sockets, in the order written
 * @param imported the rules for those that a credential store may have, in the order written
 * @param given the content that applies if no other source has the credential
 * @see <a
 *     href="https://www.freedesktop.org/software/systemd/man/systemd.exec.html#Credentials">systemd.exec,
 *     Credentials</a>
 */
public record CredentialSettings(
        Map<String, Source> loaded, List<Import> imported, Map<String, Content> given) {
    /** The settings of a unit without credentials. */
    public static final CredentialSettings NONE =
            new CredentialSettings(Map.of(), List.of(), Map.of());

    /** The maximum characters of a name. */
    public static final int MAX_NAME = 255;

    /**
     * The source of a credential.
     *
     * @param path absolute, or the name of a credential that a credential store has
     * @param isEncrypted whether it is encrypted, in Base64
     */
    public record Source(String path, boolean isEncrypted) {}

    /**
     * A rule for credentials of a credential store.
     *
     * @param pattern a name, or the first characters of names and an asterisk
     * @param rename the new name, or the first characters of the new names; empty: the old ones
     */
    public record Import(String pattern, String rename) {
        /** {@return whether the pattern may match several credentials} */
        public boolean isGlob() {
            return pattern.endsWith("*");
        }

        /** {@return whether a credential of a store is imported} */
        public boolean matches(String name) {
            return isGlob() ? name.startsWith(prefix()) : name.equals(pattern);
        }

        /** {@return the name of an imported credential in the unit} */
        public String nameOf(String name) {
            if (rename.isEmpty()) {
                return name;
            }
            return isGlob() ? rename + name.substring(prefix().length()) : rename;
        }

        private String prefix() {
            return pattern.substring(0, pattern.length() - 1);
        }
    }

    /**
     * The content of a credential.
     *
     * @param bytes one character for each byte, or Base64 if it is encrypted
     */
    public record Content(String bytes, boolean isEncrypted) {
        /** Returns no content, since logs may show it. */
        @Override
        public String toString() {
            return isEncrypted ? "encrypted content" : "content";
        }
    }

    public CredentialSettings {
        loaded = Collections.unmodifiableMap(new LinkedHashMap<>(loaded));
        imported = List.copyOf(imported);
        given = Collections.unmodifiableMap(new LinkedHashMap<>(given));
    }

    public boolean isEmpty() {
        return loaded.isEmpty() && imported.isEmpty() && given.isEmpty();
    }

    /** {@return the names of the directives, sorted} */
    public List<String> directives() {
        TreeSet<String> names = new TreeSet<>();
        loaded.values()
                .forEach(source ->
                        names.add(
                                source.isEncrypted()
                                        ? "LoadCredentialEncrypted"
                                        : "LoadCredential"));
        given.values()
                .forEach(content ->
                        names.add(
                                content.isEncrypted()
                                        ? "SetCredentialEncrypted"
                                        : "SetCredential"));
        if (!imported.isEmpty()) {
            names.add("ImportCredential");
        }
        return List.copyOf(names);
    }

    /**
     * Returns whether a text may be the name of a credential: that of a file in a folder, in ASCII
     * without control characters and colons.
     */
    public static boolean isName(String text) {
        return !text.isEmpty()
                && text.length() <= MAX_NAME
                && !text.equals(".")
                && !text.equals("..")
                && text.chars().allMatch(c -> c >= ' ' && c < 0x7f && c != ':' && c != '/');
    }
}
