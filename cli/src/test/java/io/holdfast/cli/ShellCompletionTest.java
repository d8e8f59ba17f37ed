package io.holdfast.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.bus.Bus;
import io.holdfast.bus.config.BusConfig;
import io.holdfast.core.testkit.Needs;
import io.holdfast.dbus.BusConnection;
import io.holdfast.dbus.address.BusAddress;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Tests the completion scripts in their shells. */
@Timeout(180)
class ShellCompletionTest {
    /** Calls the function as bash does for a line that ends at the cursor. */
    private static final String BASH =
            """
            eval "$(holdfast completion bash)"
            COMP_LINE=$1 COMP_POINT=${#1}
            compopt() { echo "compopt $*"; }
            _holdfast
            printf '%s\\n' "${COMPREPLY[@]}"
            """;

    /** Replaces zsh's functions by ones that print their arguments. */
    private static final String ZSH =
            """
            compdef() { : }
            _files() { print -r -- "files $*" }
            _describe() { print -rl -- "${(@P)4}" }
            eval "$(holdfast completion zsh)"
            words=("${(@s: :)1}")
            CURRENT=$#words
            PREFIX=$words[-1]
            _holdfast
            """;

    /** A shell on a terminal completes the line, and zsh's functions insert the value. */
    private static final String INTERACTIVE_ZSH =
            """
            zmodload zsh/zpty
            zpty shell zsh --no-globalrcs -i
            while zpty -r shell output; do :; done
            zpty -d shell
            """;

    private static final String ZSHRC =
            """
            autoload -Uz compinit && compinit -D -u
            source $ZDOTDIR/completion
            zle-line-init() {
                BUFFER=$(<$ZDOTDIR/line) CURSOR=$#BUFFER
                zle complete-word
                print -r -- "$BUFFER" >$ZDOTDIR/line
                BUFFER=exit
                zle accept-line
            }
            zle -N zle-line-init
            """;

    private static final String FISH =
            """
            holdfast completion fish | source
            complete -C $argv[1]
            """;

    @TempDir private Path folder;

    /** Puts the program into a folder under its name. */
    @BeforeEach
    void layOut() throws IOException {
        String command =
                Program.command(List.of("-Dio.holdfast.cli.completionTimeout=60000")).stream()
                        .map(word -> "'" + word + "'")
                        .collect(Collectors.joining(" "));
        Path program =
                Files.writeString(
                        folder.resolve("holdfast"), "#!/bin/sh\nexec " + command + " \"$@\"\n");
        Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwxr-xr-x"));
        Files.createDirectory(folder.resolve("a folder"));
        Files.createFile(folder.resolve("afile"));
    }

    /** Returns the line after zsh has completed it, if the program offers these words. */
    private String insertedByZsh(String line, String... words) throws Exception {
        Path home = Files.createDirectory(folder.resolve("zsh"));
        Path program = home.resolve("holdfast");
        Files.writeString(
                program, "#!/bin/sh\ncat <<'EOF'\n%s\nEOF\n".formatted(String.join("\n", words)));
        Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwxr-xr-x"));
        Files.writeString(
                home.resolve("completion"),
                Program.run(new ProcessBuilder(Program.command(List.of(), "completion", "zsh")))
                        .out());
        Files.writeString(home.resolve(".zshrc"), ZSHRC);
        Path typed = Files.writeString(home.resolve("line"), line);
        Path script = Files.writeString(home.resolve("script"), INTERACTIVE_ZSH);
        ProcessBuilder shell = new ProcessBuilder("zsh", "-f", script.toString());
        shell.environment().merge("PATH", home.toString(), (path, own) -> own + ":" + path);
        shell.environment().put("ZDOTDIR", home.toString());
        shell.environment().put("TERM", "dumb");
        Program run = Program.run(shell);
        assertThat(run.err()).isEmpty();
        return Files.readString(typed).strip();
    }

    private List<String> offered(List<String> shell, String script, String line) throws Exception {
        Path file = Files.writeString(folder.resolve("script"), script);
        ProcessBuilder builder = new ProcessBuilder(new ArrayList<>(shell));
        builder.command().addAll(List.of(file.toString(), line));
        builder.environment().merge("PATH", folder.toString(), (path, own) -> own + ":" + path);
        builder.environment().put("HOME", folder.toString());
        Program run = Program.run(builder.directory(folder.toFile()));
        assertThat(run.err()).isEmpty();
        return run.out().lines().toList();
    }

    private List<String> bash(String line) throws Exception {
        return offered(List.of("bash", "--norc"), BASH, line);
    }

    private List<String> zsh(String line) throws Exception {
        return offered(List.of("zsh", "-f"), ZSH, line);
    }

    private List<String> fish(String line) throws Exception {
        return offered(List.of("fish", "--no-config"), FISH, line);
    }

    @Test
    void bashCompletesWordsValuesAndFiles() throws Exception {
        assertThat(bash("holdfast sta")).containsExactly("status", "start");
        assertThat(bash("holdfast kill --whom=m")).containsExactly("main");
        assertThat(bash("holdfast completion ")).containsExactly("bash", "zsh", "fish");
        assertThat(bash("holdfast bus --config a"))
                .containsExactlyInAnyOrder("compopt -o filenames", "a folder", "afile");
        assertThat(bash("holdfast nonsense ")).containsExactly("");
    }

    /** Bash splits words at colons, so the text before a colon must not be inserted again. */
    @Test
    void bashCompletesNamesWithColons() throws Exception {
        String address = "unix:path=" + folder.resolve("bus");
        try (Bus _ = Bus.open(BusAddress.parse(address), BusConfig.permissive());
                BusConnection client = BusConnection.connect(address)) {
            assertThat(bash("holdfast who --bus " + address + " :1"))
                    .contains(client.uniqueName().substring(1));
            assertThat(bash("~/holdfast who --bus=" + address + " org."))
                    .containsExactly("org.freedesktop.DBus");
        }
    }

    @Test
    @Needs(programs = "zsh")
    void zshCompletesWordsValuesAndFiles() throws Exception {
        assertThat(zsh("holdfast sta"))
                .containsExactly(
                        "status:List all units, or show the status of some units.",
                        "start:Start units, and wait until their jobs are done.");
        assertThat(zsh("holdfast kill --whom=m")).containsExactly("--whom=main");
        assertThat(zsh("holdfast completion ")).containsExactly("bash", "zsh", "fish");
        assertThat(zsh("holdfast bus --config a")).containsExactly("files ");
        assertThat(zsh("holdfast status --runtime-dir ")).containsExactly("files -/");
    }

    /** The name is as systemd-escape(1) writes it. */
    @Test
    @Needs(programs = "zsh")
    void zshInsertsAnEscapedUnitNameAsItIs() throws Exception {
        assertThat(insertedByZsh("holdfast status fo", "foo\\x2dbar.service\tA unit: of a test"))
                .isEqualTo("holdfast status foo\\\\x2dbar.service"); // quoted for the shell
    }

    @Test
    @Needs(programs = "zsh")
    void zshInsertsAValueWithColonsAndBackslashes() throws Exception {
        assertThat(insertedByZsh("holdfast who :", ":1.7", ":1.7\\x"))
                .isEqualTo("holdfast who :1.7");
    }

    @Test
    @Needs(programs = "fish")
    void fishCompletesWordsValuesAndFiles() throws Exception {
        assertThat(fish("holdfast sta"))
                .containsExactlyInAnyOrder(
                        "status\tList all units, or show the status of some units.",
                        "start\tStart units, and wait until their jobs are done.");
        assertThat(fish("holdfast kill --whom=m")).containsExactly("--whom=main");
        assertThat(fish("holdfast completion ")).containsExactlyInAnyOrder("bash", "zsh", "fish");
        assertThat(fish("holdfast bus --config af")).anyMatch(each -> each.startsWith("afile"));
        assertThat(fish("holdfast status --runtime-dir a"))
                .anyMatch(each -> each.startsWith("a folder/") || each.startsWith("a\\ folder/"));
    }
}
