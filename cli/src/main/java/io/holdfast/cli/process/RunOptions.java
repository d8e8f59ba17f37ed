package io.holdfast.cli.process;

import io.holdfast.cli.command.Command;
import io.holdfast.cli.command.CommandException;
import io.holdfast.cli.command.ExitCode;
import io.holdfast.core.machine.Accounts;
import io.holdfast.core.machine.Accounts.Account;
import io.holdfast.core.machine.Accounts.UnknownAccountException;
import io.holdfast.core.process.Cgroup;
import io.holdfast.core.process.CgroupPath;
import io.holdfast.core.process.HeldChild;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.process.Resource;
import io.holdfast.core.process.Spawn;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.UnitType;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ParseResult;

/**
 * The options of {@code run}, all of them validated before anything is started.
 *
 * @param unit the name of the command's cgroup, below holdfast's own
 * @param cgroup the path of the command's cgroup, instead of a name
 * @param identity words before the variables and the command that change user and group; empty to
 *     keep them
 */
record RunOptions(
        List<String> command,
        Optional<String> unit,
        Optional<String> cgroup,
        Map<String, String> variables,
        Optional<Path> directory,
        OptionalInt nice,
        OptionalInt umask,
        boolean noNewPrivileges,
        List<Limit> limits,
        List<String> identity) {

    private static final long CAP_SETGID = 1L << 6; // linux/capability.h
    private static final long CAP_SETUID = 1L << 7;

    /** The character that Java substitutes for bytes that are not UTF-8. */
    private static final char REPLACEMENT = '\uFFFD';

    /** A resource limit, in the unit of the resource. */
    record Limit(Resource resource, long soft, long hard) {}

    static RunOptions of(ParseResult line) throws InterruptedException {
        Optional<String> unit = text(line, "--unit").map(name -> cgroupName(name, line));
        Optional<String> cgroup = text(line, "--cgroup");
        if (unit.isPresent() && cgroup.isPresent()) {
            throw Command.misuse(line, "--unit and --cgroup exclude each other");
        }
        cgroup.ifPresent(path -> checkCgroup(path, line));
        List<String> command = command(line);
        List<String> identity = identity(line);
        if (!identity.isEmpty()
                && (command.getFirst().contains("=") || command.getFirst().equals("-"))) {
            throw Command.misuse(
                    line,
                    "not a program: '"
                            + command.getFirst()
                            + "': with --uid or --gid, env(1) executes the command");
        }
        return new RunOptions(
                command,
                unit,
                cgroup,
                variables(line),
                text(line, "--cwd").map(Path::of),
                integer(line, "--nice", 10, -20, 19),
                integer(line, "--umask", 8, 0, 0777),
                line.hasMatchedOption("--no-new-privs"),
                limits(line),
                identity);
    }

    private static Optional<String> text(ParseResult line, String option) {
        return Optional.ofNullable(line.matchedOptionValue(option, (String) null));
    }

    private static List<String> texts(ParseResult line, String option) {
        return line.matchedOptionValue(option, List.of());
    }

    /**
     * Returns the command byte for byte. If the locale is not UTF-8, or the arguments are not, Java
     * garbles the arguments of main, so they are then read from {@code /proc}.
     */
    static List<String> command(ParseResult line) {
        List<String> words = line.matchedPositionalValue(0, List.of());
        if (isUtf8() && words.stream().noneMatch(word -> word.indexOf(REPLACEMENT) >= 0)) {
            return words;
        }
        List<String> all = ofSelf(process -> process.proc().commandLine());
        return all.subList(all.size() - words.size(), all.size());
    }

    private static boolean isUtf8() {
        return System.getProperty("sun.jnu.encoding", "").equals(StandardCharsets.UTF_8.name());
    }

    private static <T> T ofSelf(Function<PidFd, T> reading) {
        try (PidFd self = PidFd.self()) {
            return reading.apply(self);
        }
    }

    /** Returns the name of the unit that a manager makes. */
    static String unitName(ParseResult line, UnitType type) {
        String suffix = type.suffix();
        String given = text(line, "--unit").orElseGet(OwnScope::name);
        String name = given.replaceFirst("\\.(scope|service)$", "") + suffix;
        if (UnitName.parse(name).isEmpty()
                || (line.hasMatchedOption("--unit")
                        && !name.equals(given)
                        && !name.equals(given + suffix))) {
            throw Command.misuse(line, "not the name of a " + suffix.substring(1) + ": " + given);
        }
        return name;
    }

    private static String cgroupName(String name, ParseResult line) {
        String full = name.endsWith(".scope") || name.endsWith(".service") ? name : name + ".scope";
        if (CgroupPath.ROOT.child(checked(full, line)).unit().isEmpty()) {
            throw Command.misuse(
                    line,
                    "not the name of a unit: '"
                            + name
                            + "'; allowed are letters, digits and :-_.\\@");
        }
        return full;
    }

    private static String checked(String name, ParseResult line) {
        try {
            String ignored = CgroupPath.escape(name);
            return name;
        } catch (IllegalArgumentException e) {
            throw Command.misuse(line, String.valueOf(e.getMessage()));
        }
    }

    private static void checkCgroup(String path, ParseResult line) {
        boolean isRoot;
        try {
            isRoot = CgroupPath.parse("/" + path).isRoot();
        } catch (IllegalArgumentException e) {
            throw Command.misuse(line, "not the path of a cgroup: '" + path + "'");
        }
        if (isRoot) {
            throw Command.misuse(line, "the root cgroup is not allowed: '" + path + "'");
        }
    }

    private static Map<String, String> variables(ParseResult line) {
        Map<String, String> variables = new LinkedHashMap<>();
        for (String text : texts(line, "--setenv")) {
            int equals = text.indexOf('=');
            if (equals <= 0) {
                throw Command.misuse(line, "not a variable: '" + text + "'; expected NAME=VALUE");
            }
            variables.put(text.substring(0, equals), text.substring(equals + 1));
        }
        return variables;
    }

    private static OptionalInt integer(
            ParseResult line, String option, int radix, int least, int most) {
        Optional<String> text = text(line, option);
        if (text.isEmpty()) {
            return OptionalInt.empty();
        }
        try {
            int value = Integer.parseInt(text.get(), radix);
            if (value >= least && value <= most) {
                return OptionalInt.of(value);
            }
        } catch (NumberFormatException _) {
            // reported below
        }
        throw Command.misuse(
                line,
                option
                        + " has an invalid value '"
                        + text.get()
                        + "'; expected "
                        + Integer.toString(least, radix)
                        + " to "
                        + Integer.toString(most, radix));
    }

    private static List<Limit> limits(ParseResult line) {
        List<Limit> limits = new ArrayList<>();
        for (String text : texts(line, "--limit")) {
            limits.add(limit(text, line));
        }
        return limits;
    }

    private static Limit limit(String text, ParseResult line) {
        int equals = text.indexOf('=');
        int colon = text.indexOf(':', equals + 1);
        try {
            String name = text.substring(0, Math.max(equals, 0)).toUpperCase(Locale.ROOT);
            Resource resource = Resource.valueOf(name);
            long soft = amount(text.substring(equals + 1, colon < 0 ? text.length() : colon));
            long hard = colon < 0 ? soft : amount(text.substring(colon + 1));
            if (Long.compareUnsigned(soft, hard) > 0) {
                throw Command.misuse(line, "the soft limit exceeds the hard limit: '" + text + "'");
            }
            return new Limit(resource, soft, hard);
        } catch (IllegalArgumentException e) {
            throw Command.misuse(
                    line,
                    "not a limit: '"
                            + text
                            + "'; expected NAME=SOFT[:HARD], NAME one of "
                            + List.of(Resource.values()));
        }
    }

    private static long amount(String text) {
        return text.equalsIgnoreCase("infinity") ? Resource.INFINITY : unsigned(text);
    }

    private static long unsigned(String text) {
        long value = Long.parseLong(text);
        if (value < 0) {
            throw new NumberFormatException(text);
        }
        return value;
    }

    /**
     * Returns the words of setpriv(1), which changes user and group, and of env(1), which then
     * executes the command. setpriv still has holdfast's capabilities when it calls execve(2), and
     * could execute a program that the user may not.
     */
    private static List<String> identity(ParseResult line) throws InterruptedException {
        Optional<String> uid = text(line, "--uid");
        Optional<String> gid = group(line);
        List<String> words = new ArrayList<>();
        if (uid.isPresent()) {
            Optional<Account> user = user(uid.get(), gid, line);
            words.add("--reuid=" + user.map(known -> Long.toString(known.uid())).orElse(uid.get()));
            words.add("--regid=" + gid.orElseGet(() -> Long.toString(user.orElseThrow().gid())));
            words.add(user.isPresent() ? "--init-groups" : "--clear-groups");
        } else if (gid.isPresent()) {
            words.add("--regid=" + gid.get());
            words.add("--keep-groups");
        }
        if (!words.isEmpty()) {
            if (uid.isPresent()) {
                requireCapabilities(CAP_SETUID | CAP_SETGID);
            } else if (!isOurs(gid.orElseThrow())) {
                requireCapabilities(CAP_SETGID);
            }
            words.addFirst("setpriv");
            words.addAll(List.of("--", "env", "--"));
        }
        return words;
    }

    /** Returns whether this process may set this group without capabilities. */
    private static boolean isOurs(String gid) {
        long number = Long.parseLong(gid);
        return ofSelf(PidFd::info)
                .credentials()
                .filter(ids ->
                        number == ids.realGid()
                                || number == ids.effectiveGid()
                                || number == ids.savedGid())
                .isPresent();
    }

    private static void requireCapabilities(long needed) {
        if ((ofSelf(self -> self.proc().effectiveCapabilities()) & needed) != needed) {
            throw new CommandException(
                    "only root can become another user or group (CAP_SETUID and CAP_SETGID)",
                    ExitCode.HOLDFAST_FAILED);
        }
    }

    /** Returns the GID of {@code --gid}; empty if it is not given. */
    private static Optional<String> group(ParseResult line) throws InterruptedException {
        Optional<String> name = text(line, "--gid");
        if (name.isEmpty()) {
            return name;
        }
        try {
            return Optional.of(Long.toString(Accounts.SYSTEM.group(name.get())));
        } catch (UnknownAccountException e) {
            throw Command.misuse(line, String.valueOf(e.getMessage()));
        }
    }

    /**
     * Looks up the user; empty for a UID without an account, for which {@code --gid} is required.
     */
    private static Optional<Account> user(String nameOrUid, Optional<String> gid, ParseResult line)
            throws InterruptedException {
        try {
            return Optional.of(Accounts.SYSTEM.user(nameOrUid));
        } catch (UnknownAccountException e) {
            if (!isNumber(nameOrUid)) {
                throw Command.misuse(line, String.valueOf(e.getMessage()));
            }
            if (gid.isEmpty()) {
                throw Command.misuse(line, e.getMessage() + "; set the group with --gid");
            }
            return Optional.empty();
        }
    }

    private static boolean isNumber(String text) {
        return !text.isEmpty() && text.chars().allMatch(c -> c >= '0' && c <= '9');
    }

    String program() {
        return command.getFirst();
    }

    /**
     * Returns the process to spawn with these options.
     *
     * @param home the cgroup of the process; null for holdfast's own
     */
    Spawn spawn(@Nullable Cgroup home) {
        Spawn spawn = prepared(home);
        return limits.isEmpty() ? spawn : spawn.whileHeld(this::limit);
    }

    /**
     * Returns the process to spawn with these options, in holdfast's own cgroup.
     *
     * @param placed called with the process before it executes its program
     */
    Spawn held(Consumer<HeldChild> placed) {
        return prepared(null)
                .whileHeld(child -> {
                    limit(child);
                    placed.accept(child);
                });
    }

    private void limit(HeldChild child) {
        limits.forEach(limit -> child.limit(limit.resource, limit.soft, limit.hard));
    }

    private Spawn prepared(@Nullable Cgroup home) {
        List<String> words = new ArrayList<>(identity);
        if (!identity.isEmpty()) { // env(1) sets them: setpriv still has privileges
            variables.forEach((name, value) -> words.add(name + "=" + value));
        }
        words.addAll(command);
        Spawn spawn = Spawn.of(words);
        if (home != null) {
            spawn.cgroup(home);
        }
        if (!variables.isEmpty() && identity.isEmpty()) {
            spawn.environment(ofSelf(self -> self.proc().environment()));
            variables.forEach(spawn::environment);
        }
        directory.ifPresent(spawn::directory);
        nice.ifPresent(spawn::nice);
        umask.ifPresent(spawn::umask);
        if (noNewPrivileges) {
            spawn.noNewPrivileges();
        }
        return spawn;
    }
}
