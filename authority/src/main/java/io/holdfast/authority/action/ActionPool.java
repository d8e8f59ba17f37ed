package io.holdfast.authority.action;

import io.holdfast.core.limit.Limit;
import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A snapshot of the actions that the files in policy folders declare. Immutable; two are equal if
 * their actions and problems are.
 *
 * <p>Of files of the same name only the one in the first folder counts. It hides the others even if
 * it is broken or unreadable: an administrator who overrides a vendor's file wants to allow less,
 * never more. If files of different names declare the same action, the later one wins: that of the
 * later folder or, in one folder, of the later name.
 */
public final class ActionPool {
    /**
     * The maximum number of files of one folder; further files are ignored and reported as a
     * problem.
     */
    public static final int MAX_FILES = 4096;

    /**
     * The maximum number of bytes of all files. The file that exceeds it and all later ones are
     * ignored, and reported as a problem.
     */
    public static final Limit TOTAL_BYTES =
            Limit.bytes("io.holdfast.authority.policyBytes", 4L << 20, "bytes of all policy files");

    /** A pool without actions. */
    public static final ActionPool EMPTY = new ActionPool(List.of(), List.of());

    private static final String SUFFIX = ".policy";
    private static final String OVER_TOTAL =
            "this and all later files are ignored: all policy files together have more than "
                    + TOTAL_BYTES.value()
                    + " bytes; "
                    + TOTAL_BYTES.remedy();

    private final List<Problem> problems;
    private final Map<String, Action> actions;
    private final Map<String, List<Action>> implying;

    private ActionPool(List<PolicyFile> files, List<Problem> problems) {
        this.problems = List.copyOf(problems);
        this.actions = new LinkedHashMap<>();
        for (PolicyFile file : files) {
            for (Action action : file.actions()) {
                actions.put(action.id(), action);
            }
        }
        this.implying = new HashMap<>();
        for (Action action : actions.values()) {
            for (String id : action.implied()) {
                List<Action> known = implying.computeIfAbsent(id, _ -> new ArrayList<>());
                if (!known.contains(action)) {
                    known.add(action);
                }
            }
        }
    }

    static boolean isPolicyFile(String name) {
        return name.endsWith(SUFFIX);
    }

    /**
     * Reads the folders, in order of precedence. A missing folder counts as empty; all other errors
     * are reported by {@link #problems}. Blocks while files are read.
     */
    public static ActionPool read(List<Path> folders) {
        Map<Path, PolicyFile> files = new LinkedHashMap<>(); // by their names
        List<Problem> problems = new ArrayList<>();
        long total = 0;
        for (Path folder : folders) {
            for (Path name : names(folder, problems)) {
                if (files.containsKey(name)) {
                    continue;
                }
                Path path = folder.resolve(name);
                total += size(path);
                if (total > TOTAL_BYTES.value()) {
                    problems.add(new Problem(new SourceLine(path, 0), OVER_TOTAL));
                    return new ActionPool(List.copyOf(files.values()), problems);
                }
                PolicyFile file = PolicyFileReader.read(path);
                files.put(name, file);
                problems.addAll(file.problems());
            }
        }
        return new ActionPool(List.copyOf(files.values()), problems);
    }

    /** Returns the bytes that count for the total; none if the file is too large to be read. */
    private static long size(Path path) {
        try {
            long size = Files.size(path);
            return size > PolicyFileReader.MAX_FILE_SIZE ? 0 : size;
        } catch (IOException e) {
            return 0;
        }
    }

    /** Lists policy files as paths, so that names in any encoding work and sort by their bytes. */
    private static List<Path> names(Path folder, List<Problem> problems) {
        List<Path> names = new ArrayList<>();
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(folder)) {
            for (Path entry : entries) {
                Path name = entry.getFileName();
                if (isPolicyFile(name.toString())) {
                    names.add(name);
                }
            }
        } catch (NoSuchFileException e) {
            return List.of();
        } catch (IOException | DirectoryIteratorException e) {
            problems.add(new Problem(new SourceLine(folder, 0), "cannot be read: " + e));
        }
        names.sort(null);
        if (names.size() > MAX_FILES) {
            String reason =
                    "has more than " + MAX_FILES + " files: %s and all later ones are ignored";
            problems.add(
                    new Problem(new SourceLine(folder, 0), reason.formatted(names.get(MAX_FILES))));
            return names.subList(0, MAX_FILES);
        }
        return names;
    }

    /** Finds the action of this id; empty if none is registered. */
    public Optional<Action> action(String id) {
        return Optional.ofNullable(actions.get(id));
    }

    /** Returns all actions, by folder, file and place. */
    public List<Action> actions() {
        return List.copyOf(actions.values());
    }

    /**
     * Returns the actions that imply this one: an authorization for one of them is one for this.
     */
    public List<Action> implying(String id) {
        return List.copyOf(implying.getOrDefault(id, List.of()));
    }

    /** Returns the problems of files and folders, in order. */
    public List<Problem> problems() {
        return problems;
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof ActionPool that
                && actions().equals(that.actions())
                && problems.equals(that.problems);
    }

    @Override
    public int hashCode() {
        return 31 * actions.hashCode() + problems.hashCode();
    }

    @Override
    public String toString() {
        return actions.size() + " actions, " + problems.size() + " problems";
    }
}
