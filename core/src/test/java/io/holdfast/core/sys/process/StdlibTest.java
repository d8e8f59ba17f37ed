package io.holdfast.core.sys.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.holdfast.core.process.Child;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.testkit.ChildJvm;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** In a JVM of its own: the environment is the whole process's. */
@Timeout(60)
class StdlibTest {
    @Test
    void nativeCodeSeesTheNewEnvironmentAndJavaTheOld() {
        ChildJvm.Result result = ChildJvm.run(List.of(), Cleaned.class);

        assertThat(result.output()).isEqualTo("A=b ü\nPATH=/bin\nfrom Java: true\n");
        assertThat(result.status()).isZero();
    }

    /** Cleans its environment, and shows what a child inherits. */
    static final class Cleaned {
        private Cleaned() {}

        public static void main(String[] arguments) throws Exception {
            String before = System.getenv("PATH");
            Stdlib.replaceEnvironment(Map.of("PATH", "/bin"));
            Stdlib.replaceEnvironment(new TreeMap<>(Map.of("PATH", "/bin", "A", "b ü")));
            try (Child env = Spawn.of("/usr/bin/env").start()) {
                var _ = env.await();
            }
            System.out.println("from Java: " + before.equals(System.getenv("PATH")));
        }
    }

    @Test
    void whatIsNoVariableIsRefusedBeforeAnythingIsChanged() {
        for (String name : List.of("", "A=B", "A\0")) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> Stdlib.replaceEnvironment(Map.of(name, "x")));
        }
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Stdlib.replaceEnvironment(Map.of("A", "\0")));
    }
}
