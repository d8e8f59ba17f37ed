package io.holdfast.cli.tour;

import io.holdfast.authority.AuthorityEngine;
import io.holdfast.authority.AuthorityOptions;
import io.holdfast.core.file.folder.ScratchFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/**
 * A temporary folder with actions and a rule, for a private authority. It is removed however this
 * JVM ends, except by SIGKILL.
 */
public final class TourScratch implements AutoCloseable {
    /** The action for which every process is authorized. */
    static final String OPEN_ACTION = "org.example.tour.work";

    /** The action for which only {@link #UNIT} is authorized. */
    public static final String GUARDED_ACTION = "org.example.tour.reboot";

    static final String UNIT = "tour.service";

    private static final String POLICY =
            """
            <?xml version="1.0" encoding="UTF-8"?>
            <policyconfig>
              <action id="%s">
                <defaults><allow_any>yes</allow_any></defaults>
              </action>
              <action id="%s">
                <defaults><allow_any>no</allow_any></defaults>
              </action>
            </policyconfig>
            """
                    .formatted(OPEN_ACTION, GUARDED_ACTION);
    private static final String RULE =
            """
            polkit.addRule(function(action, subject) {
                if (action.id == "%s" && subject.system_unit == "%s") {
                    return polkit.Result.YES;
                }
            });
            """
                    .formatted(GUARDED_ACTION, UNIT);

    private final Thread end = new Thread(this::closeQuietly, "holdfast-end");
    private final ScratchFolder held;
    private final Path folder;

    private TourScratch(ScratchFolder held) {
        this.held = held;
        this.folder = held.path();
        Runtime.getRuntime().addShutdownHook(end);
    }

    public static TourScratch make() throws IOException {
        TourScratch scratch =
                new TourScratch(ScratchFolder.make(TourStage.TEMPORARY, TourStage.PREFIX));
        Path _ = Files.createDirectory(actions(scratch.folder));
        Path _ = Files.createDirectory(rules(scratch.folder));
        Path _ = Files.writeString(actions(scratch.folder).resolve("tour.policy"), POLICY);
        Path _ = Files.writeString(rules(scratch.folder).resolve("10-tour.rules"), RULE);
        return scratch;
    }

    public Path folder() {
        return folder;
    }

    /** Returns the rule in words. */
    static String rule() {
        return "unit " + UNIT + " may " + GUARDED_ACTION;
    }

    /**
     * Opens an authority over such a folder, created by this process or by the one that started it.
     */
    public static AuthorityEngine engine(Path folder) throws IOException {
        return AuthorityEngine.open(
                AuthorityOptions.standard()
                        .withActionFolders(List.of(actions(folder)))
                        .withRuleFolders(List.of(rules(folder))));
    }

    private static Path actions(Path folder) {
        return folder.resolve("actions");
    }

    private static Path rules(Path folder) {
        return folder.resolve("rules.d");
    }

    private void closeQuietly() {
        try {
            remove(folder);
        } catch (IOException | RuntimeException e) {
            // the JVM ends: no caller could handle it
        }
    }

    @Override
    public void close() throws IOException {
        remove(folder);
        held.close();
        try {
            boolean ignored = Runtime.getRuntime().removeShutdownHook(end);
        } catch (IllegalStateException e) {
            // the hook is running
        }
    }

    private static synchronized void remove(Path folder) throws IOException {
        if (!Files.exists(folder)) {
            return;
        }
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.toList().reversed()) {
                boolean ignored = Files.deleteIfExists(file);
            }
        }
    }
}
