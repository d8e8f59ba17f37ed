package io.holdfast.interop.authority;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Files of actions and rules as packages of the distribution ship them.
 *
 * @param actions files {@code *.policy}
 * @param rules files {@code *.rules}
 */
record PolicySources(List<Path> actions, List<Path> rules) {
    private static final Path INSTALLED = Path.of("/usr/share/polkit-1");
    private static final Pattern GROUP = Pattern.compile("isInGroup\\s*\\(\\s*[\"']([^\"']+)");
    private static final Pattern USER =
            Pattern.compile("subject\\.user\\s*[!=]==?\\s*[\"']([^\"']+)");
    private static final Pattern OWNER = Pattern.compile("policykit\\.owner\">unix-user:([^ <]+)");

    /**
     * The folder into which {@code scripts/policies} unpacks those of packages that need not be
     * installed.
     */
    static final Path UNPACKED = Path.of("..", ".holdfast", "policies");

    /** Returns the files of the packages that are installed here. */
    static PolicySources installed() throws IOException {
        return below(List.of(INSTALLED));
    }

    /** Returns the installed files, and all that {@code scripts/policies} has unpacked. */
    static PolicySources unpacked() throws IOException {
        return below(List.of(INSTALLED, UNPACKED));
    }

    private static PolicySources below(List<Path> folders) throws IOException {
        List<Path> actions = new ArrayList<>();
        List<Path> rules = new ArrayList<>();
        for (Path folder : folders) {
            try (Stream<Path> files = Files.walk(folder)) {
                for (Path file : files.sorted().toList()) {
                    String name = file.toString();
                    if (name.contains("/actions/") && name.endsWith(".policy")) {
                        actions.add(file);
                    } else if (name.contains("/rules.d/") && name.endsWith(".rules")) {
                        rules.add(file);
                    }
                }
            }
        }
        return new PolicySources(List.copyOf(actions), List.copyOf(rules));
    }

    /** Returns the groups that the rules name. */
    Set<String> groups() throws IOException {
        return named(GROUP, rules);
    }

    /** Returns the users that the rules and the owners of actions name. */
    Set<String> users() throws IOException {
        Set<String> users = named(USER, rules);
        users.addAll(named(OWNER, actions));
        return users;
    }

    private static Set<String> named(Pattern pattern, List<Path> files) throws IOException {
        Set<String> names = new TreeSet<>();
        for (Path file : files) {
            Matcher matcher = pattern.matcher(Files.readString(file, UTF_8));
            while (matcher.find()) {
                names.add(matcher.group(1));
            }
        }
        return names;
    }

    /** Copies all files to two folders. */
    void copyTo(Path actionFolder, Path ruleFolder) throws IOException {
        for (Path file : actions) {
            Path _ = Files.copy(file, actionFolder.resolve(file.getFileName()));
        }
        for (Path file : rules) {
            Path _ = Files.copy(file, ruleFolder.resolve(file.getFileName()));
        }
    }
}
