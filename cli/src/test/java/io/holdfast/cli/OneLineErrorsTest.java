package io.holdfast.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Tests typical mistakes of new users: each must give one line that names the subject, and an exit
 * code. Nothing here needs root, a cgroup or a daemon. {@code @} stands for a private folder of the
 * test.
 */
@Timeout(120)
class OneLineErrorsTest {
    @TempDir private Path folder;

    @ParameterizedTest(name = "holdfast {0}")
    @CsvSource(
            delimiter = '|',
            value = {
                // typos
                "statsu                              | 2 | 'statsu'            | did you mean status?",
                "try-restart web.service             | 2 | 'try-restart'       | holdfast restart UNIT",
                "help statsu                         | 2 | 'statsu'            | did you mean status?",
                "status --frob                       | 2 | '--frob'            | status --help",
                "bus --adress unix:path=@/bus        | 2 | '--adress'          | --address",
                "completion csh                      | 2 | 'csh'               | bash",
                // missing arguments
                "start                               | 2 | 'UNIT'              | start --help",
                "check                               | 2 | 'ACTION'            | check --help",
                "run                                 | 2 | 'COMMAND'           | run --help",
                // processes
                "info 4194305                        | 1 | 4194305             | no process",
                "info abc                            | 2 | 'abc'               | PID:ID",
                "signal 4194305 TERM                 | 1 | 4194305             | no process",
                "signal 1 FOO                        | 2 | 'FOO'               | 0 to 64",
                "watch 4194305                       | 125 | 4194305           | no process",
                "run -- @/nowhere                    | 127 | @/nowhere         | no such program",
                "run -- @                            | 126 | @                 | folder",
                "who @/nowhere                       | 1 | @/nowhere           | no such socket",
                // daemons that do not run
                "status --runtime-dir @              | 1 | @                   | holdfast up",
                "start web.service --runtime-dir @   | 1 | @                   | holdfast up",
                "stop web.service --runtime-dir @    | 1 | @                   | holdfast up",
                "who :1.7 --bus unix:path=@/none     | 1 | @/none              | ENOENT",
                "authority --bus unix:path=@/none    | 1 | @/none              | --bus",
                "check org.example.a --authority unix:@/none | 4 | @/none      | ENOENT",
                "actions --authority unix:@/none     | 1 | @/none              | holdfast up",
                "authorizations --authority unix:@/none | 1 | @/none           | holdfast up",
                // invalid addresses, files and options
                "bus --address nonsense              | 2 | \"nonsense\"        | unix:",
                "bus --address tcp:host=localhost    | 1 | tcp:host=localhost  | unixexec:",
                "bus --address unix:path=@/no/bus    | 1 | @/no                | ENOENT",
                "bus --config @/none.conf            | 1 | @/none.conf         | no such file",
                "bus --config @/broken.conf          | 1 | @/broken.conf:2     | frobnicate",
                "bus --system --session              | 2 | --session           | exclude",
                "bus --print-address=4711            | 2 | --print-address     | 4711",
                "authority --bus none                | 2 | nothing to serve    | --socket",
                "verify @/none.service               | 1 | @/none.service      | no such file",
                "check org.example.a --process 1     | 2 | --process           | --uid",
            })
    void isOneLineThatNamesItsSubject(String line, int code, String subject, String hint)
            throws Exception {
        Files.writeString(folder.resolve("broken.conf"), "<busconfig>\n<frobnicate/>\n");
        List<String> words = List.of(line.replace("@", folder.toString()).split(" +"));

        Invocation tried = Invocation.of(words.toArray(String[]::new));
        assertThat(tried.err())
                .startsWith("holdfast: ")
                .hasLineCount(1)
                .contains(subject.replace("@", folder.toString()))
                .contains(hint)
                .doesNotContain("Exception", "internal error");
        assertThat(tried.out()).isEmpty();
        assertThat(tried.code()).isEqualTo(code);
    }
}
