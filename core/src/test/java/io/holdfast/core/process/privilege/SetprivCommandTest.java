package io.holdfast.core.process.privilege;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
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

    @Test
    void anEnvWithTheOptionIsAskedOnce() throws Exception {
        String env = env("echo \"$*\" >>" + folder + "/calls");
        SetprivCommand.requireArgumentZero(env);
        SetprivCommand.requireArgumentZero(env);
        assertThat(folder.resolve("calls")).hasContent("--argv0=env --version");
    }
}
