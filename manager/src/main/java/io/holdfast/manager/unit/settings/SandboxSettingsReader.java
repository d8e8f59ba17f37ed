package io.holdfast.manager.unit.settings;

import io.holdfast.manager.unit.SharedParts;
import io.holdfast.manager.unit.directive.Assignment;
import io.holdfast.manager.unit.directive.SectionReader;
import io.holdfast.manager.unit.settings.NamespaceSettings.OwnCgroups;
import io.holdfast.manager.unit.settings.NamespaceSettings.PrivateUsers;
import io.holdfast.manager.unit.settings.NamespaceSettings.ProcSubset;
import io.holdfast.manager.unit.settings.NamespaceSettings.Propagation;
import io.holdfast.manager.unit.settings.NamespaceSettings.ProtectProc;
import io.holdfast.manager.unit.settings.SandboxSettings.Access;
import io.holdfast.manager.unit.settings.SandboxSettings.Bind;
import io.holdfast.manager.unit.settings.SandboxSettings.Flag;
import io.holdfast.manager.unit.settings.SandboxSettings.PathRule;
import io.holdfast.manager.unit.settings.SandboxSettings.PrivateTmp;
import io.holdfast.manager.unit.settings.SandboxSettings.ProtectHome;
import io.holdfast.manager.unit.settings.SandboxSettings.ProtectSystem;
import io.holdfast.manager.unit.settings.SandboxSettings.Root;
import io.holdfast.manager.unit.settings.SandboxSettings.Temporary;
import io.holdfast.manager.unit.value.Scalars;
import io.holdfast.manager.unit.value.WordReader;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/** Reads {@link SandboxSettings}. */
final class SandboxSettingsReader implements SectionReader {
    /** Attributes of a mount, each with its opposite. */
    private static final Map<String, String> ATTRIBUTES =
            Map.of(
                    "ro",
                    "rw",
                    "nosuid",
                    "suid",
                    "nodev",
                    "dev",
                    "noexec",
                    "exec",
                    "nosymfollow",
                    "symfollow");

    /** Words on access times, which a tmpfs keeps in memory anyway. */
    private static final Set<String> ACCESS_TIMES =
            Set.of(
                    "atime",
                    "noatime",
                    "diratime",
                    "nodiratime",
                    "relatime",
                    "norelatime",
                    "strictatime",
                    "nostrictatime");

    /** Defaults that keep a service from filling the memory. */
    private static final Map<String, String> TMPFS_LIMITS =
            Map.of("mode", "0755", "size", "10%", "nr_inodes", "400k");

    private final Set<Flag> flags = EnumSet.noneOf(Flag.class);
    private ProtectSystem protectSystem = ProtectSystem.NO;
    private ProtectHome protectHome = ProtectHome.NO;
    private PrivateTmp privateTmp = PrivateTmp.NO;
    private final List<PathRule> rules = new ArrayList<>();
    private final List<Bind> binds = new ArrayList<>();
    private final List<Temporary> temporary = new ArrayList<>();
    private ProtectProc processes = ProtectProc.DEFAULT;
    private ProcSubset subset = ProcSubset.ALL;
    private PrivateUsers users = PrivateUsers.NO;
    private boolean ownProcesses;
    private OwnCgroups cgroups = OwnCgroups.NO;
    private Optional<Propagation> propagation = Optional.empty();
    private boolean kernel = true;
    private Optional<String> networkPath = Optional.empty();
    private Optional<String> ipcPath = Optional.empty();
    private Optional<Root> rootDirectory = Optional.empty();
    private Optional<Root> rootImage = Optional.empty();
    private final SystemCallSettingsReader systemCalls = new SystemCallSettingsReader();

    @Override
    public boolean assign(Assignment a) {
        switch (a.key()) {
            case "ProtectSystem" ->
                    protectSystem = wordOrBoolean(a, protectSystem, ProtectSystem.values());
            case "ProtectHome" -> protectHome = wordOrBoolean(a, protectHome, ProtectHome.values());
            case "PrivateTmp" -> privateTmp = wordOrBoolean(a, privateTmp, PrivateTmp.values());
            case "ReadWritePaths", "ReadWriteDirectories" -> rules(a, Access.READ_WRITE);
            case "ReadOnlyPaths", "ReadOnlyDirectories" -> rules(a, Access.READ_ONLY);
            case "InaccessiblePaths", "InaccessibleDirectories" -> rules(a, Access.NONE);
            case "ExecPaths" -> rules(a, Access.EXECUTE);
            case "NoExecPaths" -> rules(a, Access.NO_EXECUTE);
            case "ProtectProc" -> processes = a.word(processes, ProtectProc.values());
            case "ProcSubset" -> subset = a.word(subset, ProcSubset.values());
            case "PrivateUsers" -> users = wordOrBoolean(a, users, PrivateUsers.values());
            case "NetworkNamespacePath" -> networkPath = a.path(networkPath);
            case "IPCNamespacePath" -> ipcPath = a.path(ipcPath);
            case "ProtectHostname" -> protectHostname(a);
            case "ProtectControlGroups" -> protectControlGroups(a);
            case "MountAPIVFS" -> kernel = a.bool(true);
            case "PrivatePIDs" -> ownProcesses = a.bool(ownProcesses);
            case "MountFlags" ->
                    propagation =
                            a.isEmpty()
                                    ? Optional.empty()
                                    : a.value(
                                            propagation,
                                            text ->
                                                    Optional.of(
                                                            Scalars.parseWord(
                                                                    Propagation.values(), text)));
            case "BindPaths" -> binds(a, false);
            case "BindReadOnlyPaths" -> binds(a, true);
            case "TemporaryFileSystem" -> temporary(a);
            case "RootDirectory" -> rootDirectory = root(a, rootDirectory);
            case "RootImage" -> rootImage = root(a, rootImage);
            default -> {
                return assignFlag(a) || systemCalls.assign(a);
            }
        }
        return true;
    }

    private static Optional<Root> root(Assignment a, Optional<Root> before) {
        Optional<String> path =
                a.essential(before.map(Root::path), Scalars::parsePath)
                        .filter(set -> !set.equals("/"));
        if (a.key().equals("RootImage") && (a.isEmpty() || path.isPresent())) {
            a.notActedOn();
        }
        return path.map(set -> new Root(a.key(), set, true));
    }

    private void protectHostname(Assignment a) {
        boolean isPrivate = a.value().equals("private");
        boolean isOn = !isPrivate && a.bool(flags.contains(Flag.PROTECT_HOSTNAME));
        set(Flag.PROTECT_HOSTNAME, isOn);
        set(Flag.PRIVATE_HOSTNAME, isPrivate);
    }

    private void protectControlGroups(Assignment a) {
        cgroups =
                switch (a.value()) {
                    case "strict" -> OwnCgroups.STRICT;
                    case "private" -> OwnCgroups.PRIVATE;
                    default -> OwnCgroups.NO;
                };
        boolean before = flags.contains(Flag.PROTECT_CONTROL_GROUPS);
        set(Flag.PROTECT_CONTROL_GROUPS, cgroups == OwnCgroups.NO && a.bool(before));
    }

    private void set(Flag flag, boolean isOn) {
        boolean _ = isOn ? flags.add(flag) : flags.remove(flag);
    }

    private boolean assignFlag(Assignment a) {
        Optional<Flag> found =
                EnumSet.allOf(Flag.class).stream()
                        .filter(flag -> flag.directive().equals(a.key()))
                        .findFirst();
        found.ifPresent(flag -> set(flag, a.bool(flags.contains(flag))));
        return found.isPresent();
    }

    /** Reads a boolean or the word of a constant; the first two constants are no and yes. */
    private static <E extends Enum<E>> E wordOrBoolean(Assignment a, E before, E[] constants) {
        return a.value(
                before,
                text -> {
                    try {
                        return constants[Scalars.parseBoolean(text) ? 1 : 0];
                    } catch (IllegalArgumentException e) {
                        return Scalars.parseWord(constants, text);
                    }
                });
    }

    private void rules(Assignment a, Access access) {
        if (a.isEmpty()) {
            rules.removeIf(rule -> rule.access() == access);
        }
        a.words(
                WordReader.Backslash.LITERAL_NEXT,
                word -> {
                    boolean optional = word.startsWith("-");
                    String rest = optional ? word.substring(1) : word;
                    boolean inRoot = rest.startsWith("+");
                    String path = Scalars.parsePath(inRoot ? rest.substring(1) : rest);
                    rules.add(new PathRule(access, path, optional, inRoot));
                });
    }

    private void binds(Assignment a, boolean readOnly) {
        if (a.isEmpty()) {
            binds.removeIf(bind -> bind.readOnly() == readOnly);
        }
        a.words(
                WordReader.Backslash.LITERAL_NEXT_OF_PARTS,
                word -> binds.add(bind(word, readOnly)));
    }

    /** {@code [-]SOURCE[:DESTINATION[:OPTIONS]]}. */
    private static Bind bind(String word, boolean readOnly) {
        boolean optional = word.startsWith("-");
        List<String> parts = WordReader.parts(optional ? word.substring(1) : word);
        String source = Scalars.parsePath(parts.getFirst());
        String destination = parts.size() > 1 ? Scalars.parsePath(parts.get(1)) : source;
        boolean recursive =
                switch (parts.size() > 2 ? parts.get(2) : "") {
                    case "", "rbind" -> true;
                    case "norbind" -> false;
                    default -> throw Scalars.bad("rbind or norbind", parts.get(2));
                };
        if (parts.size() > 3 || destination.equals("/")) {
            throw Scalars.bad("SOURCE:DESTINATION:OPTIONS", word);
        }
        return new Bind(source, destination, optional, recursive, readOnly);
    }

    private void temporary(Assignment a) {
        if (a.isEmpty()) {
            temporary.clear();
        }
        a.words(WordReader.Backslash.LITERAL_NEXT, word -> temporary.add(temporary(word)));
    }

    /** {@code PATH[:OPTIONS]}. */
    private static Temporary temporary(String word) {
        int colon = word.indexOf(':');
        String path = Scalars.parsePath(colon < 0 ? word : word.substring(0, colon));
        Set<String> attributes = new HashSet<>(Set.of("nodev"));
        Map<String, String> options = new TreeMap<>(TMPFS_LIMITS);
        for (String option : colon < 0 ? new String[0] : word.substring(colon + 1).split(",")) {
            int equals = option.indexOf('=');
            if (equals > 0) {
                options.put(option.substring(0, equals), option.substring(equals + 1));
            } else if (!attribute(option.toLowerCase(Locale.ROOT), attributes)) {
                options.put(option, ""); // without it the unit must not start
            }
        }
        return new Temporary(path, attributes, options);
    }

    private static boolean attribute(String word, Set<String> attributes) {
        if (ATTRIBUTES.containsKey(word)) {
            attributes.add(word);
            return true;
        }
        boolean opposite = false;
        for (Map.Entry<String, String> attribute : ATTRIBUTES.entrySet()) {
            if (attribute.getValue().equals(word)) {
                attributes.remove(attribute.getKey());
                opposite = true;
            }
        }
        return opposite || word.isEmpty() || ACCESS_TIMES.contains(word);
    }

    SandboxSettings build() {
        return SharedParts.of(
                new SandboxSettings(
                        flags,
                        protectSystem,
                        protectHome,
                        privateTmp,
                        rules,
                        binds,
                        temporary,
                        SharedParts.of(
                                new NamespaceSettings(
                                        processes,
                                        subset,
                                        users,
                                        ownProcesses,
                                        cgroups,
                                        propagation,
                                        networkPath,
                                        ipcPath)),
                        rootImage
                                .or(() -> rootDirectory)
                                .map(root -> new Root(root.directive(), root.path(), kernel)),
                        systemCalls.build()));
    }
}
