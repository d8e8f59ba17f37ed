package io.holdfast.authority.rules;

import io.holdfast.authority.action.SourceLine;
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
 * The content of the rules files, in the order in which they run: by name, and files of the same
 * name by folder, so that {@code 10-local.rules} of /etc comes before that of /usr, and both before
 * {@code 50-default.rules}.
 *
 * @param diagnostics the files and folders that could not be read
 */
public record RuleFiles(List<RuleFile> files, List<RuleDiagnostic> diagnostics) {
    /** The folders of polkit(8), in order. */
    public static final List<Path> STANDARD_FOLDERS =
            List.of(
                    Path.of("/etc/polkit-1/rules.d"),
                    Path.of("/run/polkit-1/rules.d"),
                    Path.of("/usr/local/share/polkit-1/rules.d"),
                    Path.of("/usr/share/polkit-1/rules.d"));

    /**
     * The maximum number of bytes of one file; a longer one is refused, as parsing takes far more
     * memory.
     */
    public static final int MAX_BYTES = 256 << 10;

    /**
     * The maximum number of characters of all files; the file that exceeds it and all later ones
     * are refused.
     */
    public static final int MAX_TOTAL = 2 << 20;

    /** The maximum number of files of one folder; further files are refused. */
    public static final int MAX_FILES = 4_096;

    /** The path and the content of one file. */
    public record RuleFile(Path path, String source) {}

    public RuleFiles {
        files = List.copyOf(files);
        diagnostics = List.copyOf(diagnostics);
    }

    /** Returns whether a file of this name is a rules file, whose change requires a reload. */
    public static boolean isRuleFile(String name) {
        return name.endsWith(".rules") && !name.startsWith(".") && !name.startsWith("#");
    }

    /**
     * Reads the rules files of folders. A missing folder counts as empty; one that occurs twice,
     * also by a symbolic link, is read at its first place. What cannot be read is left out, with a
     * diagnostic.
     *
     * @param folders in order
     */
    public static RuleFiles read(List<Path> folders) {
        return read(folders, List.of());
    }

    /**
     * Reads the rules files of folders and some more files, as if these were in a folder before the
     * others. They need no special name; a missing one is a diagnostic.
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
                                    "this and all later files are ignored: all rules files"
                                            + " together have more than "
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

    /** Returns the diagnostic of an unreadable file; empty if it was removed meanwhile. */
    private static Optional<String> problem(Path path, boolean wanted, FileException e) {
        if (e.errno() == Errno.EACCES) {
            return Optional.of("may not be read: permission denied");
        }
        if (!e.isMissing()) {
            return Optional.of(String.valueOf(e.getReason()));
        }
        if (Files.isSymbolicLink(path)) {
            return Optional.of("dangling symbolic link");
        }
        return wanted ? Optional.of("there is no such file") : Optional.empty();
    }

    private static Path real(Path folder) {
        try {
            return folder.toRealPath();
        } catch (IOException e) {
            return folder; // missing or unreadable: list() makes the diagnostic
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
            // a missing folder counts as empty
        } catch (NotDirectoryException e) {
            diagnostics.add(diagnostic(folder, "not a folder: its rules are ignored"));
        } catch (AccessDeniedException e) {
            diagnostics.add(
                    diagnostic(
                            folder,
                            "may not be read: permission denied; its rules are ignored (it should"
                                    + " belong to the group of the authority's user, with mode"
                                    + " 0750)"));
        } catch (IOException | DirectoryIteratorException e) {
            diagnostics.add(diagnostic(folder, "cannot be read: " + e.getMessage()));
        }
    }

    private static String source(Path path) throws FileException {
        try (OpenedFile file = OpenedFile.open(path, OpenHow.reading().orNull())) {
            // a file masked by a link to /dev/null is empty; comments may be in any encoding
            return new String(file.readAll(MAX_BYTES), StandardCharsets.UTF_8);
        }
    }

    private static RuleDiagnostic diagnostic(Path path, String message) {
        return new RuleDiagnostic(new SourceLine(path, 0), message);
    }
}
