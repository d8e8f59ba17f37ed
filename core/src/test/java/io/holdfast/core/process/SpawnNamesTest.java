package io.holdfast.core.process;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.Signal;
import io.holdfast.core.sys.KernelPath;
import io.holdfast.core.testkit.ChildJvm;
import io.holdfast.core.testkit.Needs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Programs, files and variables whose names the locale, or UTF-8, cannot represent. */
@Timeout(120)
@Needs(programs = "setpriv")
class SpawnNamesTest {
    private static final String IN_HEX = "od -An -v -tx1 | tr -d ' \\n'";

    /**
     * Makes a folder of that name, with a file of that name and the program tool, and executes a
     * JVM in the folder, which has the folder on its PATH and the name in a variable.
     */
    private static final String MAKE_AND_RUN =
            """
            d="$(printf "$NAME")" && mkdir "$d" && : >"$d/$d" && mv tool "$d" &&
            cp "$d/tool" "$d/tool$(printf '\\303\\251')" &&
            export RAW="$d" PATH="$PWD/$d:$PATH" && cd "$d" && exec "$@"
            """;

    /** Starts processes in several ways; each prints the name in hexadecimal. */
    static final class Starts {
        public static void main(String[] arguments) throws Exception {
            Path folder = onlyFileOf(Path.of(arguments[0]), "");
            Path file = onlyFileOf(folder, "tool");
            print("PATH", Spawn.of("tool"));
            print("PATH and name", Spawn.of("tool\u00e9"));
            print("path", Spawn.of(KernelPath.text(folder) + "/tool"));
            print("relative path", Spawn.of("./tool").directory(Path.of("/")));
            print("environment", Spawn.of("tool").environment("ADDED", "value"));
            print("environmentOfPid", Spawn.of("tool").environmentOfPid("OWN_PID"));
            print("setpriv", Spawn.of("tool").parentDeathSignal(Signal.KILL));
            print("builder", Spawn.of(new ProcessBuilder("tool")));
            ProcessBuilder changed = new ProcessBuilder("tool");
            changed.environment().put("ADDED", "value");
            print("changed builder", Spawn.of(changed));
            String name = "basename \"$(pwd -P)\" | tr -d '\\n' | " + IN_HEX;
            print("directory", Spawn.of("sh", "-c", name).directory(folder));
            try (Child child = Spawn.of("tool").stdout(Stdio.to(file)).start()) {
                Exit _ = child.await();
            }
            print("files", Spawn.of("cat").stdin(Stdio.from(file)));
        }

        private static Path onlyFileOf(Path folder, String except) throws IOException {
            try (Stream<Path> files = Files.list(folder)) {
                return files.filter(file ->
                                except.isEmpty()
                                        || !file.getFileName().toString().startsWith(except))
                        .findFirst()
                        .orElseThrow();
            }
        }

        private static void print(String way, Spawn spawn) throws Exception {
            String output;
            try (Child child = spawn.stdout(Stdio.pipe()).start()) {
                output = new String(child.stdout().readAllBytes(), US_ASCII);
            } catch (RuntimeException e) {
                output = e.toString();
            }
            System.out.println(way + ": " + output);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "n\\303\\251, 6ec3a9, C",
        "n\\303\\251, 6ec3a9, C.UTF-8",
        "n\\377, 6eff, C",
        "n\\377, 6eff, C.UTF-8"
    })
    void arePassedOnByteForByteInEveryLocale(
            String name, String inHex, String locale, @TempDir Path folder) throws Exception {
        Path tool = folder.resolve("tool");
        Files.writeString(tool, "#!/bin/sh\nprintf %s \"$RAW\" | " + IN_HEX + "\n");
        assertThat(tool.toFile().setExecutable(true)).isTrue();
        List<String> jvm = ChildJvm.command(List.of(), Starts.class, folder.toString());
        try (Child child =
                Spawn.of("sh", "-c", MAKE_AND_RUN, "sh")
                        .arguments(jvm)
                        .environment("NAME", name)
                        .environment("LC_ALL", locale)
                        .directory(folder)
                        .stdin(Stdio.devNull())
                        .stdout(Stdio.pipe())
                        .start()) {
            String output = new String(child.stdout().readAllBytes(), UTF_8);
            assertThat(child.await()).isEqualTo(new Exit.Exited(0));
            assertThat(output.lines())
                    .hasSize(11)
                    .allSatisfy(line -> assertThat(line).endsWith(": " + inHex));
        }
    }
}
