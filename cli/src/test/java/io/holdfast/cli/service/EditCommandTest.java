package io.holdfast.cli.service;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.cli.CommandProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Edits units of an image with an editor that is a script. */
@Timeout(120)
class EditCommandTest {
    private static final String TEXT = "[Service]\nExecStart=/bin/true\n";

    @TempDir private Path root;
    private Path editor;

    @BeforeEach
    void layOut() throws IOException {
        Path unit = root.resolve("usr/lib/systemd/system/web.service");
        Files.createDirectories(unit.getParent());
        Files.writeString(unit, TEXT);
        editor = root.resolve("editor");
    }

    private Path file(String name) {
        return root.resolve("etc/systemd/system").resolve(name);
    }

    /** Returns what the command has written and its exit code. */
    private String edit(int code, String script, String... words) throws Exception {
        Files.writeString(editor, "#!/bin/sh\nset -e\n" + script);
        assertThat(editor.toFile().setExecutable(true)).isTrue();
        List<String> line = new ArrayList<>(List.of("edit", "--root", root.toString()));
        line.addAll(List.of(words));
        CommandProcess process =
                CommandProcess.start(
                        List.of("env", "SYSTEMD_EDITOR=" + editor), line.toArray(String[]::new));
        int exit = process.exitCode();
        String said = String.join("\n", process.lines());
        assertThat(exit).as(said).isEqualTo(code);
        return said;
    }

    @Test
    void whatIsWrittenBetweenTheCommentsBecomesADropIn() throws Exception {
        String insert = "sed -i '2a [Service]\\nNice=5' \"$1\"; cp \"$1\" " + root + "/seen\n";
        Path dropIn = file("web.service.d/override.conf");
        assertThat(edit(0, insert, "web")).contains("wrote " + dropIn);
        assertThat(dropIn).hasContent("[Service]\nNice=5\n");
        assertThat(root.resolve("seen"))
                .content()
                .contains("### Editing " + dropIn)
                .contains("# ExecStart=/bin/true");
        assertThat(dropIn.getParent()).isDirectoryNotContaining("glob:.*");
        assertThat(edit(0, "sed -i 's/Nice=5/Nice=6/' \"$1\"\n", "web")).contains("wrote ");
        assertThat(dropIn).hasContent("[Service]\nNice=6\n");
    }

    @Test
    void aCopyOfTheUnitFileIsEdited() throws Exception {
        assertThat(edit(0, "echo Nice=7 >>\"$1\"\n", "--full", "--runtime", "web"))
                .contains("wrote ");
        assertThat(root.resolve("run/systemd/system/web.service")).hasContent(TEXT + "Nice=7\n");
    }

    @Test
    void nothingChangesIfNothingIsWrittenOrTheEditorFails() throws Exception {
        assertThat(edit(0, "true\n", "web")).contains("nothing is left after editing");
        assertThat(edit(1, "echo x >\"$1\"; exit 3\n", "web")).contains("failed");
        assertThat(file("web.service.d")).doesNotExist();
        assertThat(edit(1, "true\n", "nosuch")).contains("nosuch.service: there is no such unit");
    }
}
