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
 * The actions of policy folders at one moment. Immutable; two are equal if they say the same.
 *
 * <p>Of files of the same name only the one in the first folder counts, and hides the others though
 * it may be broken or unreadable: whoever puts it there wants less than the vendor's, never more.
 * Where files of different names declare the same action, the later one wins: that of the later
 * folder or, in one folder, of the later name.
 */
public final class ActionPool {
    /** Files of one folder; those behind them do not count, which is told as a problem. */
    public static final int MAX_FILES = 4096;

    /**
     * Bytes of all files; those behind the one that exceeds it do not count, which is told as a
     * problem.
     */
    public static final Limit TOTAL_BYTES =
            Limit.bytes("io.holdfast.authority.policyBytes", 4L << 20, "bytes of all policy files");

    /** Nothing is declared. */
    public static final ActionPool EMPTY = new ActionPool(List.of(), List.of());

    private static final String SUFFIX = ".policy";
    private static final String OVER_TOTAL =
            "not read, nor what comes behind it: all policy files together have more than "
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

    /** Whether a file of this name declares actions. */
    static boolean isPolicyFile(String name) {
        return name.endsWith(SUFFIX);
    }

    /**
     * Reads folders, the first to be seen first. One that is not there is empty; all else that is
     * wrong is told by {@link #problems}. Blocks while files are read.
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
                    problems.add(new Problem(new Place(path, 0), OVER_TOTAL));
                    return new ActionPool(List.copyOf(files.values()), problems);
                }
                PolicyFile file = PolicyFileReader.read(path);
                files.put(name, file);
                problems.addAll(file.problems());
            }
        }
        return new ActionPool(List.copyOf(files.values()), problems);
    }

    /** What a file counts; one that is longer than one may be counts nothing, as it is not read. */
    private static long size(Path path) {
        try {
            long size = Files.size(path);
            return size > PolicyFileReader.MAX_FILE_SIZE ? 0 : size;
        } catch (IOException e) {
            return 0;
        }
    }

    /** As paths, so that they are what they are in whatever encoding, and are sorted by bytes. */
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
            problems.add(new Problem(new Place(folder, 0), "cannot be read: " + e));
        }
        names.sort(null);
        if (names.size() > MAX_FILES) {
            String reason = "has more than " + MAX_FILES + " files: those from %s on do not count";
            problems.add(new Problem(new Place(folder, 0), reason.formatted(names.get(MAX_FILES))));
            return names.subList(0, MAX_FILES);
        }
        return names;
    }

    /** The action of this id; empty if none is registered. */
    public Optional<Action> action(String id) {
        return Optional.ofNullable(actions.get(id));
    }

    /** All of them, by folder, file and place. */
    public List<Action> actions() {
        return List.copyOf(actions.values());
    }

    /** The actions that imply this one: whoever may do one of them may do this. */
    public List<Action> implying(String id) {
        return List.copyOf(implying.getOrDefault(id, List.of()));
    }

    /** What is wrong with files and folders, in order. */
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
