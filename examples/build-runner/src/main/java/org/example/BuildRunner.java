package org.example;

import io.holdfast.core.process.Child;
import io.holdfast.core.process.Exit;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.scope.ProcessScope;
import io.holdfast.core.scope.ScopeOptions;
import java.time.Duration;
import java.util.List;

/**
 * Runs a command with a deadline, and ends all processes that it started, even in other sessions:
 * {@code java -jar build-runner.jar SECONDS COMMAND [ARGUMENT...]}.
 *
 * <p>Exits as the command does, or with 124 after the deadline.
 */
public final class BuildRunner {
    private static final int OUT_OF_TIME = 124; // as timeout(1) does

    private BuildRunner() {}

    static void main(String[] arguments) throws InterruptedException {
        Duration time = Duration.ofSeconds(Long.parseLong(arguments[0]));
        List<String> command = List.of(arguments).subList(1, arguments.length);

        ProcessScope scope = ProcessScope.open(ScopeOptions.standard().withDeadline(time));
        Exit exit;
        try (scope) {
            System.err.println("build: " + scope.guarantee().text());
            Child build = scope.start(Spawn.of(command));
            exit = build.await();
        } // processes that the build left behind are gone here
        if (scope.isOverdue()) {
            System.out.println("build: out of time, ended with all that it started");
            System.exit(OUT_OF_TIME);
        }
        System.out.println("build: " + exit);
        System.exit(exit.shellStatus());
    }
}
