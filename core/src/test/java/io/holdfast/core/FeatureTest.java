package io.holdfast.core;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.process.Spawn;
import io.holdfast.core.testkit.ChildJvm;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class FeatureTest {
    /** Runs in another JVM. */
    static final class Starter {
        private Starter() {}

        public static void main(String[] arguments) throws InterruptedException {
            try (var child = Spawn.of("true").start()) {
                System.out.println(child.await());
            } catch (NotSupportedException e) {
                System.out.println("not supported: " + e.feature());
            } catch (IllegalCallerException e) {
                System.out.println("denied: " + e.getMessage());
            }
        }
    }

    /** Runs in another JVM. */
    static final class Describer {
        private Describer() {}

        public static void main(String[] arguments) {
            for (Supplier<Spawn> description :
                    List.<Supplier<Spawn>>of(
                            () -> Spawn.of("true").environment("A", "b"),
                            () -> Spawn.of("true").withoutEnvironment("A"),
                            () -> Spawn.of(new ProcessBuilder("true")))) {
                try {
                    System.out.println(description.get());
                } catch (IllegalCallerException e) {
                    System.out.println("denied: " + e.getMessage());
                }
            }
        }
    }

    @Test
    void nothingIsStartedWithoutTheCallThatClosesDescriptors() {
        ChildJvm.Result result =
                ChildJvm.run(
                        List.of("-Dio.holdfast.without=OWN_TABLE,SPAWN_CLOSEFROM"), Starter.class);
        assertThat(result.output()).contains("not supported: SPAWN_CLOSEFROM");
    }

    @Test
    void anUnknownNameIsReported() {
        ChildJvm.Result result =
                ChildJvm.run(List.of("-Dio.holdfast.without=PIDFS,PIDFDS"), Starter.class);
        assertThat(result.output())
                .contains("io.holdfast.without: no such feature: PIDFDS; known: [PIDFD_OPEN, ")
                .contains("exited with status 0");
    }

    @Test
    void aDenialOfNativeAccessNamesTheOptionToGive() {
        assertThat(runDenied(Starter.class)).matches(DENIED);
        assertThat(runDenied(Describer.class)).matches(DENIED + DENIED + DENIED);
    }

    private static final String DENIED = "denied: [^\n]*--enable-native-access=ALL-UNNAMED[^\n]*\n";

    private static String runDenied(Class<?> main) {
        List<String> command = new ArrayList<>(ChildJvm.command(List.of(), main));
        assertThat(command.remove("--enable-native-access=ALL-UNNAMED")).isTrue();
        return ChildJvm.run(command).output();
    }
}
