package io.holdfast.core.process.privilege;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class SetprivCommandTest {
    @TempDir Path folder;

    private String env(String script) throws IOException {
        Path env = folder.resolve("env");
        Files.writeString(env, "#!/bin/sh\n" + script + "\n");
        assertThat(env.toFile().setExecutable(true)).isTrue();
        return env.toString();
    }

    @Test
    void anEnvWithoutTheOptionForANameIsRefusedBeforeTheStart() throws Exception {
        String env = env("exit 125");
        for (int i = 0; i < 2; i++) {
            assertThatExceptionOfType(ErrnoException.class)
                    .isThrownBy(() -> SetprivCommand.requireArgumentZero(env))
                    .matches(e -> e.errno() == Errno.EOPNOTSUPP)
                    .withMessageContaining(env)
                    .withMessageContaining("coreutils 9.5");
        }
    }

    /** A catalogue of messages that the user wrote would be read with all our capabilities. */
    @Test
    void noVariableThatLibrariesReadReachesSetpriv() {
        Map<String, String> wanted =
                Map.of(
                        "LANGUAGE", "../../../home/user",
                        "LANG", "de_DE.UTF-8",
                        "LD_PRELOAD", "/home/user/x.so",
                        "NSS_X", "y",
                        "SECRET", "not for the public");
        Map<String, String> environment = new HashMap<>(wanted);
        List<String> line = line(environment);
        assertThat(environment).isEqualTo(Map.of("SECRET", "not for the public", "LC_ALL", "C"));
        assertThat(String.join(" ", line))
                .doesNotContain("not for the public")
                .endsWith(
                        "env --unset=LC_ALL LANG=de_DE.UTF-8 LANGUAGE=../../../home/user"
                                + " LD_PRELOAD=/home/user/x.so NSS_X=y /bin/true");
    }

    @Test
    void theProgramGetsItsOwnLocaleBack() {
        Map<String, String> environment = new HashMap<>(Map.of("LC_ALL", "de_DE.UTF-8"));
        assertThat(String.join(" ", line(environment)))
                .endsWith("env LC_ALL=de_DE.UTF-8 /bin/true");
        assertThat(environment).isEqualTo(Map.of("LC_ALL", "C"));
    }

    private static List<String> line(Map<String, String> environment) {
        return SetprivCommand.line(
                List.of("--reuid=1"), Path.of("/bin/true"), List.of("true"), false, environment);
    }

    @Test
    void anEnvWithTheOptionIsAskedOnce() throws Exception {
        String env = env("echo \"$*\" >>" + folder + "/calls");
        SetprivCommand.requireArgumentZero(env);
        SetprivCommand.requireArgumentZero(env);
        assertThat(folder.resolve("calls")).hasContent("--argv0=env --version");
    }
}
