package io.holdfast.cli;

import io.holdfast.cli.output.Output;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** One run of the command inside this VM: what it wrote, and its exit code. */
public record Invocation(int code, String out, String err) {
    public static Invocation of(String... arguments) {
        return of(false, arguments);
    }

    static Invocation inColours(String... arguments) {
        return of(true, arguments);
    }

    private static Invocation of(boolean colours, String... arguments) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        int code =
                Holdfast.run(
                        List.of(arguments),
                        new Output(
                                new PrintStream(out, true, StandardCharsets.UTF_8),
                                new PrintStream(err, true, StandardCharsets.UTF_8),
                                colours,
                                false));
        return new Invocation(
                code, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
    }
}
