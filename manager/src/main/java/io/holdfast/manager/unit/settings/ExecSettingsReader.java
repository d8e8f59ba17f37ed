package io.holdfast.manager.unit.settings;

import io.holdfast.core.process.Resource;
import io.holdfast.manager.unit.ManagerScope;
import io.holdfast.manager.unit.SharedParts;
import io.holdfast.manager.unit.directive.Assignment;
import io.holdfast.manager.unit.directive.SectionReader;
import io.holdfast.manager.unit.value.Capability;
import io.holdfast.manager.unit.value.Environment;
import io.holdfast.manager.unit.value.EnvironmentFile;
import io.holdfast.manager.unit.value.ExecDirectory;
import io.holdfast.manager.unit.value.ResourceLimit;
import io.holdfast.manager.unit.value.Scalars;
import io.holdfast.manager.unit.value.SecureBit;
import io.holdfast.manager.unit.value.StandardStream;
import io.holdfast.manager.unit.value.WordReader;
import io.holdfast.manager.unit.value.WorkingDirectory;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/** Reads {@link ExecSettings}. */
public final class ExecSettingsReader implements SectionReader {
    private static final int MAX_USER_NAME = 255;

    private Optional<String> user = Optional.empty();
    private Optional<Boolean> login = Optional.empty();
    private Optional<String> group = Optional.empty();
    private final List<String> supplementaryGroups = new ArrayList<>();
    private Optional<String> pamService = Optional.empty();
    private boolean dynamicUser;
    private Optional<WorkingDirectory> workingDirectory = Optional.empty();
    private Optional<StandardStream> input = Optional.empty();
    private final StreamSettings.Reader streams = new StreamSettings.Reader();
    private Optional<StandardStream> output = Optional.empty();
    private StandardStream error;
    private final Map<String, String> assignments = new LinkedHashMap<>();
    private final List<EnvironmentFile> environmentFiles = new ArrayList<>();
    private final Set<String> passed = new LinkedHashSet<>();
    private final Set<String> unset = new LinkedHashSet<>();
    private final Map<ExecDirectory.Kind, List<ExecDirectory.Entry>> directories =
            new EnumMap<>(ExecDirectory.Kind.class);
    private final Map<ExecDirectory.Kind, Integer> modes = new EnumMap<>(ExecDirectory.Kind.class);
    private ExecSettings.Preserve preserve = ExecSettings.Preserve.NO;
    private int umask;
    private boolean noNewPrivileges;
    private Set<Capability> boundingSet = Capability.all();
    private Set<Capability> ambient = Set.of();
    private final Set<SecureBit> secureBits = EnumSet.noneOf(SecureBit.class);
    private final SchedulingSettings.Reader scheduling = new SchedulingSettings.Reader();
    private final SandboxSettingsReader sandbox = new SandboxSettingsReader();
    private final JournalSettings.Reader journal = new JournalSettings.Reader();
    private final CredentialSettingsReader credentials = new CredentialSettingsReader();
    private final Map<Resource, ResourceLimit> limits = new EnumMap<>(Resource.class);
    private Optional<Integer> nice = Optional.empty();
    private Optional<Integer> oomScoreAdjust;
    private ExecSettings.KeyringMode keyring;
    private boolean removeIpc;
    private boolean ignorePipe = true;
    private final ManagerDefaults defaults;

    /**
     * @param scope of the manager
     * @param defaults of units that set nothing themselves
     */
    public ExecSettingsReader(ManagerScope scope, ManagerDefaults defaults) {
        this.umask = scope.umask();
        this.keyring =
                scope.user() ? ExecSettings.KeyringMode.INHERIT : ExecSettings.KeyringMode.PRIVATE;
        this.defaults = defaults;
        error = defaults.error();
        oomScoreAdjust = defaults.oomScoreAdjust();
        limits.putAll(defaults.limits());
    }

    @Override
    public boolean assign(Assignment a) {
        switch (a.key()) {
            case "User" -> user = account(a, user);
            case "Group" -> group = account(a, group);
            case "SupplementaryGroups" -> supplementaryGroups(a);
            case "PAMName" -> pamService = a.text(pamService);
            case "SELinuxContext", "AppArmorProfile", "SmackProcessLabel" -> label(a);
            case "DynamicUser" -> dynamicUser(a);
            case "WorkingDirectory" -> workingDirectory = workingDirectory(a, workingDirectory);
            case "StandardInput" -> input = a.optional(input, StandardStream::parseInput);
            case "StandardOutput" -> output = Optional.of(output(a, output(), defaults.output()));
            case "StandardError" -> error = output(a, error, defaults.error());
            case "Environment" -> environment(a, assignments);
            case "EnvironmentFile" -> environmentFile(a);
            case "PassEnvironment" -> names(a, WordReader.Backslash.LITERAL_NEXT, passed, false);
            case "UnsetEnvironment" -> names(a, WordReader.Backslash.C_ESCAPE, unset, true);
            case "SetLoginEnvironment" -> login = a.optional(login, Scalars::parseBoolean);
            case "RuntimeDirectoryPreserve" ->
                    preserve =
                            a.value(
                                    preserve,
                                    text ->
                                            text.equals("restart")
                                                    ? ExecSettings.Preserve.RESTART
                                                    : Scalars.parseBoolean(text)
                                                            ? ExecSettings.Preserve.YES
                                                            : ExecSettings.Preserve.NO);
            case "UMask" -> umask = a.mode(umask) & 0777;
            case "NoNewPrivileges" -> noNewPrivileges = a.bool(noNewPrivileges);
            case "CapabilityBoundingSet" ->
                    boundingSet = capabilities(a, boundingSet, Capability.all());
            case "AmbientCapabilities" -> ambient = capabilities(a, ambient, Set.of());
            case "SecureBits" -> secureBits(a);
            case "Nice" -> nice = number(a, nice, -20, 19);
            case "KeyringMode" -> keyring = a.word(keyring, ExecSettings.KeyringMode.values());
            case "RemoveIPC" -> removeIpc = a.bool(removeIpc);
            case "IgnoreSIGPIPE" -> ignorePipe = a.bool(ignorePipe);
            case "OOMScoreAdjust" -> oomScoreAdjust = number(a, oomScoreAdjust, -1000, 1000);
            default -> {
                return assignLimit(a)
                        || assignDirectory(a)
                        || streams.assign(a)
                        || journal.assign(a)
                        || sandbox.assign(a)
                        || credentials.assign(a)
                        || scheduling.assign(a);
            }
        }
        return true;
    }

    /**
     * Reads a user or group. An invalid one refuses the unit: without it the service would run as
     * another user.
     */
    public static Optional<String> account(Assignment a, Optional<String> before) {
        return a.essential(before, ExecSettingsReader::accountName);
    }

    /**
     * Reads a working directory. An invalid one refuses the unit, unless it may be missing: the
     * service would start in another folder.
     */
    private static Optional<WorkingDirectory> workingDirectory(
            Assignment a, Optional<WorkingDirectory> before) {
        return a.value().startsWith("-")
                ? a.optional(before, WorkingDirectory::parse)
                : a.essential(before, WorkingDirectory::parse);
    }

    /** Reads whether the user is a dynamic one; otherwise the commands would run as root. */
    private void dynamicUser(Assignment a) {
        try {
            dynamicUser = Scalars.parseBoolean(a.value());
        } catch (IllegalArgumentException e) {
            a.refused(String.valueOf(e.getMessage()));
        }
    }

    private static String accountName(String text) {
        boolean bad =
                text.isBlank()
                        || text.length() > MAX_USER_NAME
                        || !text.equals(text.strip())
                        || text.startsWith("-")
                        || text.equals(".")
                        || text.equals("..")
                        || text.chars().anyMatch(c -> c < ' ' || c == 0x7f || ":/".indexOf(c) >= 0)
                        || (text.matches("[0-9]+") && !isId(text));
        if (bad) {
            throw Scalars.bad("a user or group name, or its number", text);
        }
        return text;
    }

    private static boolean isId(String digits) {
        return digits.length() <= 10
                && Long.parseLong(digits) < 0xffff_ffffL
                && Long.parseLong(digits) != 0xffff;
    }

    /** Ignores a label of a security module that the machine does not use, as systemd does. */
    private static void label(Assignment a) {
        if (a.specifiers().host().securityModules().stream()
                .anyMatch(module -> module.directive().equals(a.key()))) {
            a.notActedOn();
        }
    }

    private void supplementaryGroups(Assignment a) {
        if (a.isEmpty()) {
            supplementaryGroups.clear();
            return;
        }
        for (String word : WordReader.splitRelaxed(a.value())) {
            try {
                supplementaryGroups.add(accountName(a.specifiers().expand(word)));
            } catch (IllegalArgumentException e) {
                a.refused(String.valueOf(e.getMessage()));
            }
        }
    }

    private StandardStream input() {
        return input.orElse(streams.hasData() ? StandardStream.DATA : StandardStream.NULL);
    }

    /**
     * Returns the output; without StandardOutput=, a socket as standard input is the output too.
     */
    private StandardStream output() {
        boolean answers = input().kind() == StandardStream.Kind.SOCKET;
        return output.orElse(answers ? StandardStream.INHERIT : defaults.output());
    }

    private static StandardStream output(
            Assignment a, StandardStream before, StandardStream otherwise) {
        if (a.value().startsWith("syslog")) {
            a.remark("syslog is taken as journal");
        }
        return a.optional(Optional.of(before), StandardStream::parseOutput).orElse(otherwise);
    }

    /** Reads assignments of variables; an empty one removes the earlier ones. */
    static void environment(Assignment a, Map<String, String> assignments) {
        if (a.isEmpty()) {
            assignments.clear();
        }
        a.words(
                WordReader.Backslash.C_ESCAPE,
                word -> {
                    int equals = word.indexOf('=');
                    String name = equals < 0 ? word : word.substring(0, equals);
                    if (equals < 0
                            || !Environment.isName(name)
                            || !Environment.isValue(word.substring(equals + 1))) {
                        throw Scalars.bad("an assignment NAME=value", word);
                    }
                    assignments.remove(name);
                    assignments.put(name, word.substring(equals + 1));
                });
    }

    private void environmentFile(Assignment a) {
        if (a.isEmpty()) {
            environmentFiles.clear();
            return;
        }
        a.optional(
                        Optional.<EnvironmentFile>empty(),
                        text -> {
                            boolean optional = text.startsWith("-");
                            String path = optional ? text.substring(1) : text;
                            return new EnvironmentFile(
                                    Scalars.parsePath(path), optional, a.place());
                        })
                .ifPresent(environmentFiles::add);
    }

    private static void names(
            Assignment a, WordReader.Backslash backslash, Set<String> names, boolean withValue) {
        if (a.isEmpty()) {
            names.clear();
        }
        a.words(
                backslash,
                word -> {
                    int equals = withValue ? word.indexOf('=') : -1;
                    if (!Environment.isName(equals < 0 ? word : word.substring(0, equals))) {
                        throw Scalars.bad("the name of a variable", word);
                    }
                    names.add(word);
                });
    }

    private static Set<Capability> capabilities(
            Assignment a, Set<Capability> before, Set<Capability> initial) {
        return a.value(before, text -> Capability.assign(before, initial, text, a::ignored));
    }

    private void secureBits(Assignment a) {
        if (a.isEmpty()) {
            secureBits.clear();
        }
        a.words(
                WordReader.Backslash.LITERAL_NEXT,
                word -> secureBits.add(Scalars.parseWord(SecureBit.values(), word)));
    }

    private static Optional<Integer> number(
            Assignment a, Optional<Integer> before, int low, int high) {
        return a.optional(before, text -> Scalars.parseInt(text, low, high));
    }

    private boolean assignLimit(Assignment a) {
        Optional<Resource> resource = ResourceLimit.ofDirective(a.key());
        resource.ifPresent(r ->
                a.value(
                                Optional.<ResourceLimit>empty(),
                                text -> Optional.of(ResourceLimit.parse(r, text)))
                        .ifPresent(limit -> limits.put(r, limit)));
        return resource.isPresent();
    }

    private boolean assignDirectory(Assignment a) {
        for (ExecDirectory.Kind kind : ExecDirectory.Kind.values()) {
            if (a.key().equals(kind.directive())) {
                List<ExecDirectory.Entry> paths =
                        directories.computeIfAbsent(kind, _ -> new ArrayList<>());
                if (a.isEmpty()) {
                    paths.clear();
                }
                a.words(
                        WordReader.Backslash.LITERAL_NEXT,
                        word -> paths.add(ExecDirectory.Entry.parse(word)));
                return true;
            }
            if (a.key().equals(kind.directive() + "Mode")) {
                int before = modes.getOrDefault(kind, ExecDirectory.DEFAULT_MODE);
                modes.put(kind, a.mode(before));
                return true;
            }
        }
        return false;
    }

    public ExecSettings build() {
        Map<ExecDirectory.Kind, ExecDirectory> wanted = new EnumMap<>(ExecDirectory.Kind.class);
        directories.forEach((kind, paths) -> {
            if (!paths.isEmpty()) {
                int mode = modes.getOrDefault(kind, ExecDirectory.DEFAULT_MODE);
                wanted.put(kind, new ExecDirectory(kind, paths, mode));
            }
        });
        return SharedParts.of(
                new ExecSettings(
                        user,
                        group,
                        supplementaryGroups,
                        pamService,
                        dynamicUser,
                        workingDirectory,
                        input(),
                        output(),
                        error,
                        streams.build(),
                        SharedParts.of(
                                new Environment(
                                        assignments, environmentFiles, passed, unset, login)),
                        wanted,
                        preserve,
                        umask,
                        noNewPrivileges || dynamicUser,
                        boundingSet,
                        ambient,
                        secureBits,
                        dynamicUser ? sandbox.build().ofDynamicUser() : sandbox.build(),
                        scheduling.build(),
                        limits,
                        nice.map(OptionalInt::of).orElse(OptionalInt.empty()),
                        oomScoreAdjust.map(OptionalInt::of).orElse(OptionalInt.empty()),
                        journal.build(),
                        credentials.build(),
                        keyring,
                        removeIpc || dynamicUser,
                        ignorePipe));
    }
}
