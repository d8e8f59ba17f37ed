package io.holdfast.manager.unit.value;

import io.holdfast.manager.unit.ManagerScope;
import io.holdfast.manager.unit.SmallFile;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Checks whether the conditions of a unit hold on this machine now.
 *
 * @param environment of the manager, for {@code ConditionEnvironment=}
 * @param groups ids of the groups that the manager is in, for {@code ConditionGroup=}
 */
public record ConditionCheck(
        Host host, ManagerScope scope, Map<String, String> environment, Set<Long> groups) {
    private static final int MAX_GLOB_MATCHES = 10_000;
    private static final long LAST_SYSTEM_ID = 999;

    public ConditionCheck {
        environment = Map.copyOf(environment);
        groups = Set.copyOf(groups);
    }

    /**
     * The result of a check.
     *
     * @param unmet the conditions that prevent the start; empty if the check succeeds
     * @param notEvaluated the conditions that Holdfast does not support yet; they count as met
     * @param held for each condition, whether it holds on its own, regardless of the result
     */
    public record Verdict(
            List<Condition> unmet, List<Condition> notEvaluated, Map<Condition, Boolean> held) {
        /** {@return whether no condition prevents the start} */
        public boolean met() {
            return unmet.isEmpty();
        }
    }

    /**
     * Checks conditions: all plain ones must hold and, if there are triggers, at least one of
     * these.
     */
    public Verdict check(List<Condition> conditions) {
        List<Condition> unmet = new ArrayList<>();
        List<Condition> unmetTriggers = new ArrayList<>();
        List<Condition> notEvaluated = new ArrayList<>();
        Map<Condition, Boolean> held = new HashMap<>();
        boolean triggered = false;
        for (Condition condition : conditions) {
            Optional<Boolean> raw = evaluate(condition.kind(), condition.parameter());
            if (raw.isEmpty()) {
                notEvaluated.add(condition);
            }
            boolean holds = raw.isEmpty() || raw.get() != condition.negated();
            held.put(condition, holds);
            if (condition.trigger()) {
                triggered |= holds;
            }
            if (!holds) {
                (condition.trigger() ? unmetTriggers : unmet).add(condition);
            }
        }
        if (!triggered) {
            unmet.addAll(unmetTriggers);
        }
        return new Verdict(List.copyOf(unmet), List.copyOf(notEvaluated), Map.copyOf(held));
    }

    private Optional<Boolean> evaluate(String kind, String parameter) {
        try {
            return switch (kind) {
                case "PathExists" -> Optional.of(Files.exists(Path.of(parameter)));
                case "PathExistsGlob" -> Optional.of(anyMatch(parameter));
                case "PathIsDirectory" -> Optional.of(Files.isDirectory(Path.of(parameter)));
                case "PathIsSymbolicLink" -> Optional.of(Files.isSymbolicLink(Path.of(parameter)));
                case "PathIsReadWrite" -> Optional.of(isOnWritableFileSystem(Path.of(parameter)));
                case "DirectoryNotEmpty" -> Optional.of(hasEntries(Path.of(parameter)));
                case "FileNotEmpty" -> Optional.of(hasContent(Path.of(parameter)));
                case "FileIsExecutable" -> Optional.of(isExecutable(Path.of(parameter)));
                case "User" -> Optional.of(isUser(parameter));
                case "Group" -> Optional.of(isInGroup(parameter));
                case "Host" ->
                        Optional.of(
                                parameter.equals(host.machineId())
                                        || Glob.matches(parameter, host.hostName()));
                case "Architecture" ->
                        Optional.of(
                                parameter.equals("native")
                                        || parameter.equals(host.architecture()));
                case "Virtualization" -> virtualization(parameter);
                case "KernelCommandLine" -> Optional.of(isOnCommandLine(parameter));
                case "KernelVersion" -> Optional.of(isKernel(parameter));
                case "Environment" -> Optional.of(isInEnvironment(parameter));
                case "FirstBoot" ->
                        Optional.of(Scalars.parseBoolean(parameter) == host.firstBoot());
                default -> Optional.empty();
            };
        } catch (InvalidPathException e) {
            return Optional.of(false); // no such file can exist
        } catch (IllegalArgumentException e) {
            return Optional.of(false); // a parameter that no machine meets
        }
    }

    private static boolean anyMatch(String pattern) {
        try {
            return !Glob.expand(pattern, MAX_GLOB_MATCHES).isEmpty();
        } catch (IOException e) {
            return true; // too many
        }
    }

    private static boolean isOnWritableFileSystem(Path path) {
        try {
            return !Files.getFileStore(path).isReadOnly();
        } catch (IOException e) {
            return false;
        }
    }

    private static boolean hasEntries(Path directory) {
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(directory)) {
            return entries.iterator().hasNext();
        } catch (IOException e) {
            return false;
        }
    }

    private static boolean hasContent(Path file) {
        try {
            return Files.isRegularFile(file) && Files.size(file) > 0;
        } catch (IOException e) {
            return false;
        }
    }

    private static boolean isExecutable(Path file) {
        try {
            Set<PosixFilePermission> mode = Files.getPosixFilePermissions(file);
            return Files.isRegularFile(file)
                    && (mode.contains(PosixFilePermission.OWNER_EXECUTE)
                            || mode.contains(PosixFilePermission.GROUP_EXECUTE)
                            || mode.contains(PosixFilePermission.OTHERS_EXECUTE));
        } catch (IOException e) {
            return false;
        }
    }

    private boolean isUser(String parameter) {
        ManagerScope.Account account = scope.account();
        return parameter.equals(account.name())
                || parameter.equals(String.valueOf(account.uid()))
                || (parameter.equals("@system") && account.uid() <= LAST_SYSTEM_ID);
    }

    private boolean isInGroup(String parameter) {
        ManagerScope.Account account = scope.account();
        if (parameter.equals(account.group())) {
            return true;
        }
        for (String line : SmallFile.read(Path.of("/etc/group")).split("\n")) {
            String[] fields = line.split(":", -1);
            if (fields.length > 2
                    && fields[0].equals(parameter)
                    && fields[2].matches("[0-9]{1,10}")) {
                return groups.contains(Long.parseLong(fields[2]));
            }
        }
        return parameter.matches("[0-9]{1,10}") && groups.contains(Long.parseLong(parameter));
    }

    private Optional<Boolean> virtualization(String parameter) {
        Virtualization found = host.virtualization();
        return switch (parameter) {
            case "vm" -> Optional.of(found.kind() == Virtualization.Kind.VM);
            case "container" -> Optional.of(found.kind() == Virtualization.Kind.CONTAINER);
            case "private-users" -> Optional.empty();
            case "yes", "1", "y", "true", "t", "on" ->
                    Optional.of(found.kind() != Virtualization.Kind.NONE);
            case "no", "0", "n", "false", "f", "off" ->
                    Optional.of(found.kind() == Virtualization.Kind.NONE);
            default ->
                    Optional.of(
                            found.kind() != Virtualization.Kind.NONE
                                    && parameter.equals(found.id()));
        };
    }

    private boolean isOnCommandLine(String parameter) {
        boolean assignment = parameter.contains("=");
        return WordReader.splitRelaxed(host.kernelCommandLine()).stream()
                .anyMatch(word ->
                        word.equals(parameter)
                                || (!assignment && word.startsWith(parameter + "=")));
    }

    private boolean isInEnvironment(String parameter) {
        int equals = parameter.indexOf('=');
        return equals < 0
                ? environment.containsKey(parameter)
                : parameter
                        .substring(equals + 1)
                        .equals(environment.get(parameter.substring(0, equals)));
    }

    /**
     * Evaluates comparisons, all of which must hold: {@code >=5.10 <6.19}; without operator a glob.
     */
    private boolean isKernel(String parameter) {
        String joined = parameter.replaceAll("([<>=!$]+)\\s+", "$1");
        return Arrays.stream(joined.split("\\s+")).allMatch(this::isKernelOne);
    }

    private boolean isKernelOne(String comparison) {
        String running = host.kernelRelease();
        int end = 0;
        while (end < comparison.length() && "<>=!$".indexOf(comparison.charAt(end)) >= 0) {
            end++;
        }
        String version = comparison.substring(end);
        int order = VersionOrder.compare(running, version);
        return switch (comparison.substring(0, end)) {
            case "<" -> order < 0;
            case "<=" -> order <= 0;
            case ">" -> order > 0;
            case ">=" -> order >= 0;
            case "=", "==" -> order == 0;
            case "!=", "<>" -> order != 0;
            case "", "$=" -> Glob.matches(version, running);
            case "!$=" -> !Glob.matches(version, running);
            default -> throw Scalars.bad("a comparison of versions", comparison);
        };
    }
}
