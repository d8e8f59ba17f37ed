package io.holdfast.core.process;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.testkit.ChildJvm;
import io.holdfast.core.testkit.Needs;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Names of files, arguments and variables that the locale, or UTF-8, cannot represent. */
@Timeout(120)
class ProcNamesTest {
    private static final String MAKE_AND_RUN =
            """
            d="$(printf "$NAME")" && mkdir "$d" && cp "$(command -v perl)" "$d/$d" && cd "$d" &&
            NAME=$d exec "./$d" -e '$| = 1; print "x"; sysread STDIN, my $x, 1' "$d"
            """;

    /** Reads the names of a process, and prints them in ASCII. */
    static final class Looker {
        public static void main(String[] arguments) {
            try (PidFd process = PidFd.open(Integer.parseInt(arguments[0]))) {
                Proc proc = process.proc();
                System.out.println(uri(proc.executable()));
                System.out.println(uri(proc.directory()));
                System.out.println(inAscii(proc.commandLine().getLast()));
                System.out.println(inAscii(proc.environment().getOrDefault("NAME", "none")));
            }
        }

        private static String uri(Path path) {
            return path.toUri().getRawPath() + (Files.exists(path) ? "" : " is not there");
        }

        private static String inAscii(String text) {
            StringBuilder ascii = new StringBuilder();
            text.chars().forEach(c -> ascii.append(c < 0x80 ? "" + (char) c : "<%X>".formatted(c)));
            return ascii.toString();
        }
    }

    /**
     * @param name the name, for printf(1)
     * @param inUri the name in a file URI
     * @param inText the name in a text of ours, with characters beyond ASCII in hexadecimal
     */
    @ParameterizedTest
    @CsvSource({
        "n\\303\\251, n%C3%A9, n<E9>",
        "n\\377, n%FF, n<DCFF>",
        "n\\360\\237\\230\\200 m, n%F0%9F%98%80%20m, n<D83D><DE00> m"
    })
    @Needs(programs = "perl")
    void areReportedByteForByteInEveryLocale(
            String name, String inUri, String inText, @TempDir Path folder) throws Exception {
        try (Child child =
                Spawn.of("sh", "-c", MAKE_AND_RUN)
                        .environment("NAME", name)
                        .directory(folder)
                        .stdin(Stdio.pipe())
                        .stdout(Stdio.pipe())
                        .start()) {
            assertThat(child.stdout().read()).isEqualTo('x');
            String base = folder.toRealPath().toUri().getRawPath();
            for (String locale : new String[] {"C", "C.UTF-8"}) {
                assertThat(seen(child, locale).lines())
                        .as("LC_ALL=%s", locale)
                        .containsExactly(
                                base + inUri + "/" + inUri, base + inUri + "/", inText, inText);
            }
            child.stdin().close();
            assertThat(child.await()).isEqualTo(new Exit.Exited(0));
        }
    }

    private static String seen(Child child, String locale) throws Exception {
        List<String> command = ChildJvm.command(List.of(), Looker.class, "" + child.pidFd().pid());
        try (Child jvm =
                Spawn.of(command)
                        .environment("LC_ALL", locale)
                        .stdin(Stdio.devNull())
                        .stdout(Stdio.pipe())
                        .start()) {
            String said = new String(jvm.stdout().readAllBytes(), StandardCharsets.US_ASCII);
            assertThat(jvm.await()).isEqualTo(new Exit.Exited(0));
            return said;
        }
    }
}
