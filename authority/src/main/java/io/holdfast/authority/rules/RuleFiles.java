package io.holdfast.authority.rules;

import io.holdfast.authority.action.Place;
import io.holdfast.core.Errno;
import io.holdfast.core.file.FileException;
import io.holdfast.core.file.OpenHow;
import io.holdfast.core.file.OpenedFile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Rules files as they were read, in the order in which they are run: by name, and those of one name
 * by folder, so that {@code 10-local.rules} of /etc comes before that of /usr, and both before
 * {@code 50-default.rules}.
 *
 * @param diagnostics what could not be read
 */
public record RuleFiles(List<RuleFile> files, List<RuleDiagnostic> diagnostics) {
    /** The folders of polkit(8), in order. */
    public static final List<Path> STANDARD_FOLDERS =
            List.of(
                    Path.of("/etc/polkit-1/rules.d"),
                    Path.of("/run/polkit-1/rules.d"),
                    Path.of("/usr/local/share/polkit-1/rules.d"),
                    Path.of("/usr/share/polkit-1/rules.d"));

    /** Bytes of one file; a longer one is refused, for to parse it takes many times as much. */
    public static final int MAX_BYTES = 256 << 10;

    /** Characters of all files; the one that exceeds it and those behind it are refused. */
    public static final int MAX_TOTAL = 2 << 20;

    /** Of one folder; what comes after them is refused. */
    public static final int MAX_FILES = 4_096;

    /** One file. */
    public record RuleFile(Path path, String source) {}

    public RuleFiles {
        files = List.copyOf(files);
        diagnostics = List.copyOf(diagnostics);
    }

    /** Whether a file of this name is one of rules, and a change of it a change of the rules. */
    public static boolean isRuleFile(String name) {
        return name.endsWith(".rules") && !name.startsWith(".") && !name.startsWith("#");
    }

    /**
     * Reads folders. One that does not exist is empty, and one that is named twice, or by a link,
     * is read where it comes first; what cannot be read is left out and told.
     *
     * @param folders in order
     */
    public static RuleFiles read(List<Path> folders) {
        return read(folders, List.of());
    }

    /**
     * The same, with more files, as if they stood in a folder before the others. Whatever they are
     * called, they are rules; one that does not exist is told.
     */
    public static RuleFiles read(List<Path> folders, List<Path> more) {
        List<RuleDiagnostic> diagnostics = new ArrayList<>();
        List<Path> paths = new ArrayList<>(more);
        Set<Path> listed = new HashSet<>();
        for (Path folder : folders) {
            if (listed.add(real(folder))) {
                list(folder, paths, diagnostics);
            }
        }
        paths.sort( // stable: folders in their order, and within one all names differ
                Comparator.comparing(path -> String.valueOf(path.getFileName())));
        List<RuleFile> files = new ArrayList<>();
        long total = 0;
        for (Path path : paths) {
            try {
                String source = source(path);
                total += source.length();
                if (total > MAX_TOTAL) {
                    diagnostics.add(
                            diagnostic(
                                    path,
                                    "not read, nor what comes behind it: all rules files together"
                                            + " have more than "
                                            + MAX_TOTAL
                                            + " characters"));
                    break;
                }
                files.add(new RuleFile(path, source));
            } catch (FileException e) {
                problem(path, more.contains(path), e)
                        .ifPresent(text -> diagnostics.add(diagnostic(path, text)));
            }
        }
        return new RuleFiles(files, diagnostics);
    }

    /** What to say of a file that could not be read; nothing if it was removed meanwhile. */
    private static Optional<String> problem(Path path, boolean wanted, FileException e) {
        if (e.errno() == Errno.EACCES) {
            return Optional.of("may not be read: permission denied");
        }
        if (!e.isMissing()) {
            return Optional.of(String.valueOf(e.getReason()));
        }
        if (Files.isSymbolicLink(path)) {
            return Optional.of("a link to nothing");
        }
        return wanted ? Optional.of("there is no such file") : Optional.empty();
    }

    private static Path real(Path folder) {
        try {
            return folder.toRealPath();
        } catch (IOException e) {
            return folder; // missing or not to be read: list says what there is to say
        }
    }

    private static void list(Path folder, List<Path> paths, List<RuleDiagnostic> diagnostics) {
        int count = 0;
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(folder)) {
            for (Path entry : entries) {
                if (isRuleFile(String.valueOf(entry.getFileName()))) {
                    if (++count > MAX_FILES) {
                        diagnostics.add(
                                diagnostic(folder, "more than " + MAX_FILES + " rules files"));
                        return;
                    }
                    paths.add(entry);
                }
            }
        } catch (NoSuchFileException e) {
            // as if it were empty
        } catch (NotDirectoryException e) {
            diagnostics.add(diagnostic(folder, "not a folder: no rules of it are known"));
        } catch (AccessDeniedException e) {
            diagnostics.add(
                    diagnostic(
                            folder,
                            "may not be read: permission denied; no rules of it are known (it"
                                    + " should belong to the group of the authority's user, with"
                                    + " mode 0750)"));
        } catch (IOException | DirectoryIteratorException e) {
            diagnostics.add(diagnostic(folder, "cannot be read: " + e.getMessage()));
        }
    }

    private static String source(Path path) throws FileException {
        try (OpenedFile file = OpenedFile.open(path, OpenHow.reading().orNull())) {
            // /dev/null, the way to mask a file, is empty; comments may be in anything
            return new String(file.readAll(MAX_BYTES), StandardCharsets.UTF_8);
        }
    }

    private static RuleDiagnostic diagnostic(Path path, String message) {
        return new RuleDiagnostic(new Place(path, 0), message);
    }
}
