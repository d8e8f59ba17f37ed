package io.holdfast.manager.generator;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.NotSupportedException;
import io.holdfast.core.Signal;
import io.holdfast.core.file.FileException;
import io.holdfast.core.file.OpenHow;
import io.holdfast.core.file.OpenedFile;
import io.holdfast.core.file.folder.TrustedFolder;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.Exit;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.process.Stdio;
import io.holdfast.manager.loop.ManagerLimits;
import io.holdfast.manager.unit.ManagerScope;
import io.holdfast.manager.unit.file.MountTable;
import io.holdfast.manager.unit.file.UnitIndex;
import io.holdfast.manager.unit.fstab.FstabUnits;
import io.holdfast.manager.unit.host.Host;
import io.holdfast.manager.unit.host.Virtualization;
import io.holdfast.manager.unit.value.EnvironmentFile;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Runs the generators of a manager, as systemd.generator(7) describes: the environment generators
 * one after another, then all unit generators at the same time, each with the three output folders
 * as its arguments. What a generator writes to standard error becomes log lines, and so does its
 * failure; neither prevents anything. Where systemd's generator for fstab(5) is not installed, the
 * manager makes those units itself ({@link FstabUnits}). All generators of a kind together have
 * {@link ManagerLimits#GENERATOR_TIMEOUT}: what runs longer is killed with its process group
 * (before Linux 6.9, without), and what has not begun is not run.
 *
 * <p>Blocking; one run at a time.
 */
public final class Generators {
    private static final int UMASK = 0022;
    private static final int MOST_OUTPUT = 1 << 20; // bytes of one generator
    private static final int MOST_LINES = 20; // of one generator, in the log

    /** For the end of the output of a generator that has exited: a descendant may keep it open. */
    private static final Duration READING = Duration.ofSeconds(1);

    private static final Duration LATE_READING = Duration.ofMillis(100);

    private static final String FSTAB_GENERATOR = "systemd-fstab-generator";

    private static final List<String> OUTPUTS =
            List.of("generator", "generator.early", "generator.late"); // the order of arguments

    private final GeneratorFolders folders;
    private final ManagerScope scope;
    private final Host host;
    private final Duration limit;

    public Generators(GeneratorFolders folders, ManagerScope scope, Host host) {
        this(folders, scope, host, ManagerLimits.GENERATOR_TIMEOUT.duration());
    }

    /**
     * @param limit the time of all generators of a kind
     */
    Generators(GeneratorFolders folders, ManagerScope scope, Host host, Duration limit) {
        this.folders = folders;
        this.scope = scope;
        this.host = host;
        this.limit = limit;
    }

    /**
     * Runs the environment generators.
     *
     * @param base the environment of the manager's units
     * @param problems receives log lines
     * @return the variables that they set, none of which is in the base with the same value
     */
    public Map<String, String> environment(Map<String, String> base, Collection<String> problems)
            throws InterruptedException {
        Map<String, String> variables = new LinkedHashMap<>();
        long deadline = deadline();
        for (Path program : programs(named(folders.environment()))) {
            if (deadline - System.nanoTime() <= 0) {
                problems.add("generator " + program + ": not run: " + overdue());
                continue;
            }
            Map<String, String> all = new LinkedHashMap<>(base);
            all.putAll(variables);
            String output = finish(start(program, List.of(), all, problems), deadline, problems);
            EnvironmentFile.parse(output)
                    .forEach((name, value) -> {
                        if (!value.equals(base.get(name))) {
                            variables.put(name, value);
                        }
                    });
        }
        return variables;
    }

    /**
     * Empties the output folders and runs the unit generators. An output folder that stays empty is
     * removed.
     *
     * @param base the environment of the manager's units
     * @param problems receives log lines
     * @throws ErrnoException if an output folder cannot be made
     */
    public void units(Map<String, String> base, Collection<String> problems)
            throws InterruptedException {
        Map<String, Path> named = named(folders.units());
        List<Path> programs = programs(named);
        Optional<FstabUnits> fstab =
                named.containsKey(FSTAB_GENERATOR) ? Optional.empty() : fstab(problems);
        try (TrustedFolder parent = TrustedFolder.make(folders.output())) {
            for (String output : OUTPUTS) {
                clear(folders.output().resolve(output), problems);
                if (!programs.isEmpty() || fstab.isPresent()) {
                    parent.child(output, 0755).close();
                }
            }
        }
        fstab.ifPresent(units -> write(units, problems));
        Map<String, String> variables = new LinkedHashMap<>(base);
        variables.putAll(facts());
        List<String> arguments =
                OUTPUTS.stream().map(name -> folders.output().resolve(name).toString()).toList();
        List<Running> running = new ArrayList<>();
        long deadline = deadline();
        try {
            for (Path program : programs) {
                running.add(start(program, arguments, variables, problems));
            }
        } finally {
            for (Running one : running) {
                String _ = finish(one, deadline, problems);
            }
        }
        removeEmpty();
    }

    /** Returns the units of the fstab(5), if it is to be read here. */
    private Optional<FstabUnits> fstab(Collection<String> problems) {
        if (folders.fstab().isEmpty() || !host.switchOnCommandLine("fstab").orElse(true)) {
            return Optional.empty();
        }
        Path file = folders.fstab().get();
        try (OpenedFile opened = OpenedFile.open(file, OpenHow.reading().orNull())) {
            String text = new String(opened.readAll(MOST_OUTPUT), UTF_8);
            FstabUnits.Machine machine =
                    FstabUnits.Machine.of(host.virtualization(), MountTable.points());
            return Optional.of(FstabUnits.of(text, file, machine, problems));
        } catch (FileException e) {
            if (!e.isMissing()) {
                problems.add("no mounts of an fstab(5): " + e.getMessage());
            }
            return Optional.empty();
        } catch (ErrnoException e) {
            problems.add("no mounts of an fstab(5): " + e.getMessage());
            return Optional.empty();
        }
    }

    private void write(FstabUnits units, Collection<String> problems) {
        try {
            units.write(folders.output().resolve(OUTPUTS.getFirst()));
        } catch (IOException e) {
            problems.add("some mounts of an fstab(5) are missing: " + e);
        }
    }

    private void removeEmpty() {
        OUTPUTS.forEach(name -> {
            boolean _ = folders.output().resolve(name).toFile().delete();
        });
        boolean _ = folders.output().toFile().delete();
    }

    /** Removes what unit generators have made. */
    public void remove(Collection<String> problems) {
        OUTPUTS.forEach(name -> clear(folders.output().resolve(name), problems));
        removeEmpty();
    }

    /** The variables that a generator can decide by. */
    private Map<String, String> facts() {
        Map<String, String> facts = new LinkedHashMap<>();
        facts.put("SYSTEMD_SCOPE", scope.user() ? "user" : "system");
        if (!scope.user()) {
            facts.put("SYSTEMD_IN_INITRD", "0");
            facts.put("SYSTEMD_FIRST_BOOT", "0");
        }
        Virtualization virtualization = host.virtualization();
        switch (virtualization.kind()) {
            case CONTAINER ->
                    facts.put("SYSTEMD_VIRTUALIZATION", "container:" + virtualization.id());
            case VM -> facts.put("SYSTEMD_VIRTUALIZATION", "vm:" + virtualization.id());
            case NONE -> {}
        }
        facts.put("SYSTEMD_ARCHITECTURE", host.architecture());
        return facts;
    }

    /**
     * Returns the programs in the order of their names. A program hides those of the same name in
     * later folders.
     */
    private static Map<String, Path> named(List<Path> folders) {
        Map<String, Path> programs = new TreeMap<>();
        for (Path folder : folders) {
            for (Path file : UnitIndex.list(folder)) {
                if (programs.size() < ManagerLimits.GENERATORS.intValue()) {
                    Path _ = programs.putIfAbsent(String.valueOf(file.getFileName()), file);
                }
            }
        }
        return programs;
    }

    /** Returns those that are not masked by an empty file, or by a link to {@code /dev/null}. */
    private static List<Path> programs(Map<String, Path> named) {
        return named.values().stream()
                .filter(file -> Files.isRegularFile(file) && Files.isExecutable(file))
                .filter(file -> file.toFile().length() > 0)
                .toList();
    }

    private static void clear(Path folder, Collection<String> problems) {
        if (Files.notExists(folder)) {
            return;
        }
        try (Stream<Path> all = Files.walk(folder)) {
            for (Path each : all.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(each);
            }
        } catch (IOException e) {
            problems.add("generators: cannot empty " + folder + ": " + e.getMessage());
        }
    }

    private long deadline() {
        return System.nanoTime() + limit.toNanos();
    }

    private String overdue() {
        return "the generators of its kind ran longer than "
                + limit.toSeconds()
                + " s; "
                + ManagerLimits.GENERATOR_TIMEOUT.remedy();
    }

    // ---- one generator

    /** A generator that runs; the child is null if it could not be started. */
    private record Running(Path program, @Nullable Child child, Reader output, Reader errors) {}

    /** Reads a stream on a thread of its own, and keeps its beginning. */
    private static final class Reader {
        private final StringBuilder text = new StringBuilder();
        private @Nullable Thread thread;

        void begin(InputStream in) {
            thread =
                    Thread.ofVirtual()
                            .name("output of a generator")
                            .start(() -> {
                                try (in) {
                                    byte[] kept = in.readNBytes(MOST_OUTPUT);
                                    text.append(new String(kept, UTF_8));
                                    long _ = in.transferTo(OutputStream.nullOutputStream());
                                } catch (IOException e) {
                                    // what was read is kept
                                }
                            });
        }

        /** Returns what was read; nothing if a descendant keeps the stream open. */
        String take(long deadline) throws InterruptedException {
            Duration time = deadline - System.nanoTime() > 0 ? READING : LATE_READING;
            return thread == null || thread.join(time) ? text.toString() : "";
        }
    }

    private static Running start(
            Path program,
            List<String> arguments,
            Map<String, String> environment,
            Collection<String> problems) {
        Reader output = new Reader();
        Reader errors = new Reader();
        Child child = null;
        try {
            child =
                    Spawn.of(program.toString())
                            .arguments(arguments)
                            .environment(environment)
                            .directory(Path.of("/"))
                            .umask(UMASK)
                            .newProcessGroup()
                            .stdin(Stdio.devNull())
                            .stdout(Stdio.pipe())
                            .stderr(Stdio.pipe())
                            .start();
            output.begin(child.stdout());
            errors.begin(child.stderr());
        } catch (ErrnoException e) {
            problems.add("generator " + program + ": cannot be started: " + e.getMessage());
        }
        return new Running(program, child, output, errors);
    }

    /** Waits for the end of a generator, and returns its output. */
    private String finish(Running running, long deadline, Collection<String> problems)
            throws InterruptedException {
        Child child = running.child();
        if (child == null) {
            return "";
        }
        String name = "generator " + running.program();
        try (child) {
            Duration left = Duration.ofNanos(Math.max(0, deadline - System.nanoTime()));
            Optional<Exit> exit = child.await(left);
            if (exit.isEmpty()) {
                killGroup(child.pidFd());
                boolean _ = child.signal(Signal.KILL);
                exit = Optional.of(child.await());
                problems.add(name + ": killed: " + overdue());
            } else if (!exit.get().isSuccess()) {
                problems.add(name + ": failed: " + exit.get());
            }
            running.errors()
                    .take(deadline)
                    .lines()
                    .filter(line -> !line.isBlank())
                    .limit(MOST_LINES)
                    .forEach(line -> problems.add(name + ": " + line));
            return exit.get().isSuccess() ? running.output().take(deadline) : "";
        }
    }

    private static void killGroup(PidFd leader) {
        try {
            boolean _ = leader.signal(Signal.KILL, PidFd.Scope.PROCESS_GROUP);
        } catch (ErrnoException | NotSupportedException e) {
            // it became a member of another group, or the kernel is older
        }
    }
}
