package io.holdfast.manager.systemd1.property;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.US_ASCII;

import io.holdfast.dbus.wire.Struct;
import io.holdfast.manager.unit.settings.CredentialSettings;
import io.holdfast.manager.unit.settings.CredentialSettings.Import;
import java.util.Base64;
import java.util.List;
import java.util.function.Function;

/**
 * The properties that describe the credentials of a unit. As in systemd, everybody can read what a
 * unit file contains: {@code SetCredential=} is not for secrets.
 */
final class CredentialProperties {
    private CredentialProperties() {}

    static <T> void addTo(PropertyTable<T> table, Function<T, CredentialSettings> credentials) {
        for (boolean isEncrypted : new boolean[] {false, true}) {
            String suffix = isEncrypted ? "Encrypted" : "";
            table.settable(
                            "SetCredential" + suffix,
                            new SettableProperty("a(say)", contents("SetCredential" + suffix)),
                            t -> given(credentials.apply(t), isEncrypted))
                    .settable(
                            "LoadCredential" + suffix,
                            new SettableProperty("a(ss)", pairs("LoadCredential" + suffix)),
                            t -> loaded(credentials.apply(t), isEncrypted));
        }
        table.settable(
                        "ImportCredential",
                        new SettableProperty("as", CredentialProperties::imports),
                        t -> credentials.apply(t).imported().stream().map(Import::pattern).toList())
                .settable(
                        "ImportCredentialEx",
                        new SettableProperty("a(ss)", pairs("ImportCredential")),
                        t ->
                                credentials.apply(t).imported().stream()
                                        .map(each -> Struct.of(each.pattern(), each.rename()))
                                        .toList());
    }

    private static List<Struct> given(CredentialSettings settings, boolean isEncrypted) {
        return settings.given().entrySet().stream()
                .filter(each -> each.getValue().isEncrypted() == isEncrypted)
                .map(each -> Struct.of(each.getKey(), bytes(each.getValue())))
                .toList();
    }

    private static byte[] bytes(CredentialSettings.Content content) {
        return content.isEncrypted()
                ? Base64.getDecoder().decode(content.bytes().getBytes(US_ASCII))
                : content.bytes().getBytes(ISO_8859_1);
    }

    private static List<Struct> loaded(CredentialSettings settings, boolean isEncrypted) {
        return settings.loaded().entrySet().stream()
                .filter(each -> each.getValue().isEncrypted() == isEncrypted)
                .map(each -> Struct.of(each.getKey(), each.getValue().path()))
                .toList();
    }

    private static SettableProperty.Setter contents(String directive) {
        return (unit, section, value) -> {
            SettableProperty.reset(unit, section, directive, value);
            for (Object each : (List<?>) value) {
                Struct credential = (Struct) each;
                byte[] content = (byte[]) credential.get(1);
                String text =
                        directive.endsWith("Encrypted")
                                ? Base64.getEncoder().encodeToString(content)
                                : escaped(content);
                unit.line(
                        section,
                        directive,
                        name(directive, credential.get(0)).replace("%", "%%") + ":" + text);
            }
        };
    }

    /** Writes each byte that is not a plain character as an escape. */
    private static String escaped(byte[] content) {
        StringBuilder text = new StringBuilder(content.length);
        for (byte b : content) {
            if (b > ' ' && b < 0x7f && b != '\\') {
                text.append((char) b);
            } else {
                text.append("\\x%02x".formatted(b & 0xff));
            }
        }
        return text.toString();
    }

    private static SettableProperty.Setter pairs(String directive) {
        return (unit, section, value) -> {
            SettableProperty.reset(unit, section, directive, value);
            for (Object each : (List<?>) value) {
                Struct pair = (Struct) each;
                String second = (String) pair.get(1);
                boolean isImport = directive.equals("ImportCredential");
                String first =
                        isImport ? pattern(directive, pair.get(0)) : name(directive, pair.get(0));
                if (!isImport && !second.startsWith("/")) {
                    String _ = name(directive, second);
                } else if (isImport && !second.isEmpty()) {
                    String _ = name(directive, second);
                }
                unit.literal(section, directive, first + (second.isEmpty() ? "" : ":" + second));
            }
        };
    }

    private static void imports(UnitDescription unit, String section, Object value) {
        SettableProperty.reset(unit, section, "ImportCredential", value);
        for (Object each : (List<?>) value) {
            unit.literal(section, "ImportCredential", pattern("ImportCredential", each));
        }
    }

    private static String pattern(String directive, Object text) {
        String pattern = (String) text;
        if (!pattern.equals("*")) {
            String _ =
                    name(
                            directive,
                            pattern.endsWith("*")
                                    ? pattern.substring(0, pattern.length() - 1)
                                    : pattern);
        }
        return pattern;
    }

    private static String name(String directive, Object name) {
        if (!CredentialSettings.isName((String) name)) {
            throw SettableProperty.invalid(directive, name);
        }
        return (String) name;
    }
}
