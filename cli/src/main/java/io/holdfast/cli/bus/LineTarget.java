package io.holdfast.cli.bus;

import io.holdfast.cli.command.Command;
import io.holdfast.cli.command.CommandException;
import io.holdfast.cli.output.Output;
import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.sys.Unistd;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ParseResult;

/**
 * The target of an option such as {@code --print-address=FD}: standard output, standard error, or a
 * descriptor that the parent process left open. As with dbus-daemon(1) such a descriptor is closed
 * once the lines are written, so that a reader sees their end.
 */
final class LineTarget implements AutoCloseable {
    private static final int STANDARD_OUTPUT = 1;
    private static final int STANDARD_ERROR = 2;

    private final String option;
    private final Output output;
    private final int number;
    private final @Nullable Fd inherited;

    private LineTarget(String option, Output output, int number, @Nullable Fd inherited) {
        this.option = option;
        this.output = output;
        this.number = number;
        this.inherited = inherited;
    }

    /**
     * Returns the target that an option of the line names, or null without that option.
     *
     * @throws picocli.CommandLine.ParameterException if the value is not a descriptor that this
     *     process inherited
     */
    static @Nullable LineTarget of(ParseResult line, String option, Output output) {
        String text = line.matchedOptionValue(option, null);
        if (text == null) {
            return null;
        }
        int number;
        try {
            number = Integer.parseInt(text);
        } catch (NumberFormatException e) {
            throw Command.misuse(
                    line, option + "=" + text + ": not a descriptor number, such as 1");
        }
        if (number == STANDARD_OUTPUT || number == STANDARD_ERROR) {
            return new LineTarget(option, output, number, null);
        }
        try {
            return new LineTarget(option, output, number, Fd.inherited(number));
        } catch (ErrnoException | IllegalArgumentException | IllegalStateException e) {
            throw Command.misuse(
                    line, option + "=" + text + ": not an inherited descriptor: " + e.getMessage());
        }
    }

    /** Writes the lines. Must be called only once, because it closes an inherited descriptor. */
    void write(List<String> lines) throws CommandException {
        if (inherited == null) {
            for (String each : lines) {
                if (number == STANDARD_OUTPUT) {
                    output.line(each);
                } else {
                    output.complain(each);
                }
            }
            return;
        }
        byte[] bytes = (String.join("\n", lines) + "\n").getBytes(StandardCharsets.UTF_8);
        for (int written = 0; written < bytes.length; ) {
            int n = Unistd.write(inherited, bytes, written, bytes.length - written);
            if (n == -Errno.EINTR) {
                continue;
            }
            if (n < 0) {
                throw new CommandException(
                        option + "=" + number + ": write failed: " + Errno.name(-n));
            }
            written += n;
        }
        inherited.close();
    }

    @Override
    public void close() {
        if (inherited != null) {
            inherited.close();
        }
    }
}
