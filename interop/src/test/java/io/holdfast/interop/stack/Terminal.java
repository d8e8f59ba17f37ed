package io.holdfast.interop.stack;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.holdfast.core.process.Exit;
import io.holdfast.core.testkit.Await;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A program with its own terminal.
 *
 * @param program closed by the stage
 * @param device the name of the terminal
 */
record Terminal(RunningProgram program, String device) {
    private static final Pattern DEVICE = Pattern.compile("(/dev/pts/\\d+)\\s");
    private static final String CTRL_C = "\u0003";

    /** Makes one of a program that first prints the name of its terminal. */
    static Terminal of(RunningProgram program) throws InterruptedException {
        program.await("\n");
        Matcher said = DEVICE.matcher(program.written());
        if (!said.find()) {
            throw new AssertionError("no terminal: " + program.written());
        }
        return new Terminal(program, said.group(1));
    }

    /** Answers a prompt, as soon as input is neither echoed nor discarded. */
    void answer(String prompt, String secret) throws InterruptedException, IOException {
        program.await(prompt);
        Await.until(() -> !echoes());
        program.type(secret + "\n");
    }

    void interrupt(String prompt) throws InterruptedException, IOException {
        program.await(prompt);
        Await.until(() -> !echoes());
        program.type(CTRL_C);
    }

    private boolean echoes() {
        try {
            Process stty =
                    new ProcessBuilder("stty", "-F", device, "-a")
                            .redirectErrorStream(true)
                            .start();
            String said = new String(stty.getInputStream().readAllBytes(), UTF_8);
            return !said.contains(" -echo ");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    Exit end() throws InterruptedException {
        return program.end();
    }
}
