package io.holdfast.bus.service;

import io.holdfast.bus.config.ConfigException;
import io.holdfast.bus.config.ConfigPlace;
import io.holdfast.core.file.FileException;
import io.holdfast.core.file.OpenHow;
import io.holdfast.core.file.OpenedFile;
import io.holdfast.dbus.marshal.Syntax;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Reads {@code .service} files (D-Bus Specification, "Message Bus Starting Services"). Unknown
 * groups and keys are ignored.
 */
final class ServiceFileReader {
    private static final String GROUP = "[D-BUS Service]";

    /** Unit names as systemd.unit(5) defines them. */
    private static final Pattern UNIT_NAME = Pattern.compile("[A-Za-z0-9:_.\\\\@-]{1,255}");

    private final Path file;
    private final boolean strict;
    private final boolean system;
    private final Map<String, String> values = new HashMap<>();
    private final Map<String, ConfigPlace> places = new HashMap<>();

    ServiceFileReader(Path file, boolean strict, boolean system) {
        this.file = file;
        this.strict = strict;
        this.system = system;
    }

    ServiceFile read() throws ConfigException {
        readLines(text());
        String name = values.get("Name");
        if (name == null) {
            throw refuse("no Name= in a group " + GROUP);
        }
        if (!Syntax.isWellKnownName(name)) {
            throw refuse("Name", "\"" + name + "\" is not a well-known bus name");
        }
        if (strict && !name.concat(".service").equals(String.valueOf(file.getFileName()))) {
            throw refuse("Name", "the file must be named " + name + ".service");
        }
        String unit = values.get("SystemdService");
        if (unit != null && !UNIT_NAME.matcher(unit).matches()) {
            throw refuse("SystemdService", "\"" + unit + "\" is not the name of a unit");
        }
        String command = values.get("Exec");
        if (command == null && unit == null) {
            throw refuse("neither Exec= nor SystemdService=");
        }
        String user = system ? values.get("User") : null; // a session bus has one user
        if (system && user == null && unit == null) {
            throw refuse("no User= for the program of a system bus");
        }
        List<String> exec = command == null ? List.of() : words(command);
        if (command != null && exec.isEmpty()) {
            throw refuse("Exec", "is empty");
        }
        return new ServiceFile(name, exec, user, unit, file);
    }

    private String text() throws ConfigException {
        try (OpenedFile opened = OpenedFile.open(file, OpenHow.reading())) {
            byte[] bytes = opened.readFirst(ServiceFile.MAX_SIZE + 1);
            if (bytes.length > ServiceFile.MAX_SIZE) {
                throw refuse("more than " + ServiceFile.MAX_SIZE + " bytes");
            }
            return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
        } catch (CharacterCodingException e) {
            throw new ConfigException(new ConfigPlace(file.toString(), 0), "not UTF-8", e);
        } catch (FileException e) {
            throw new ConfigException(
                    new ConfigPlace(file.toString(), 0), String.valueOf(e.getReason()), e);
        }
    }

    private void readLines(String text) throws ConfigException {
        boolean ours = false;
        int line = 0;
        for (String written : text.split("\r?\n", -1)) {
            line++;
            String stripped = written.strip();
            if (stripped.isEmpty() || stripped.startsWith("#")) {
                continue;
            }
            ConfigPlace place = new ConfigPlace(file.toString(), line);
            if (stripped.startsWith("[")) {
                if (!stripped.endsWith("]")) {
                    throw new ConfigException(place, "a group without \"]\"");
                }
                ours = stripped.equals(GROUP);
                continue;
            }
            int equals = stripped.indexOf('=');
            if (equals <= 0) {
                throw new ConfigException(place, "neither a group nor KEY=VALUE");
            }
            String key = stripped.substring(0, equals).strip();
            if (ours && values.putIfAbsent(key, stripped.substring(equals + 1).strip()) == null) {
                places.put(key, place);
            }
        }
    }

    /**
     * Splits a command into words by a shell's rules for quotes and backslashes, and no other rule.
     */
    private List<String> words(String command) throws ConfigException {
        List<String> words = new ArrayList<>();
        StringBuilder word = null;
        char quote = 0;
        for (int i = 0; i < command.length(); i++) {
            char c = command.charAt(i);
            if (quote == 0 && (c == ' ' || c == '\t')) {
                if (word != null) {
                    words.add(word.toString());
                    word = null;
                }
                continue;
            }
            word = word == null ? new StringBuilder() : word;
            if (quote == 0 && (c == '\'' || c == '"')) {
                quote = c;
            } else if (c == quote) {
                quote = 0;
            } else if (c == '\\' && quote != '\'') {
                char next = ++i < command.length() ? command.charAt(i) : 0;
                if (next == 0) {
                    throw refuse("Exec", "ends with a backslash");
                }
                boolean special = quote == 0 || "\"\\$`".indexOf(next) >= 0;
                word.append(special ? "" : "\\").append(next);
            } else {
                word.append(c);
            }
        }
        if (quote != 0) {
            throw refuse("Exec", "a quote is not closed");
        }
        if (word != null) {
            words.add(word.toString());
        }
        return words;
    }

    private ConfigException refuse(String reason) {
        return new ConfigException(new ConfigPlace(file.toString(), 0), reason);
    }

    private ConfigException refuse(String key, String reason) {
        @Nullable ConfigPlace place = places.get(key);
        return new ConfigException(
                place == null ? new ConfigPlace(file.toString(), 0) : place, key + "=: " + reason);
    }
}
