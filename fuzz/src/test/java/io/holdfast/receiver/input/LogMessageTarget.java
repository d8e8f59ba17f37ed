package io.holdfast.receiver.input;

import static io.holdfast.fuzz.Inputs.require;

import io.holdfast.fuzz.Bounds;
import io.holdfast.journal.Field;
import java.util.Arrays;
import java.util.List;

/**
 * What senders of log messages write, by the first byte: a message of syslog, a native message, or
 * a stream in two parts. No trusted field, no field without a valid name, and no line that is
 * longer than permitted comes out of it.
 */
public final class LogMessageTarget {
    private static final int LONGEST = 16;
    private static final int MOST = 4;

    private LogMessageTarget() {}

    public static void fuzzerTestOneInput(byte[] input) throws Exception {
        Bounds.within(input, LogMessageTarget::check);
    }

    private static void check(byte[] input) {
        if (input.length == 0) {
            return;
        }
        byte[] rest = Arrays.copyOfRange(input, 1, input.length);
        switch (input[0] % 3) {
            case 0 -> checkFields(SyslogMessage.parse(rest).fields());
            case 1 -> {
                for (List<Field> entry : NativeMessage.parse(rest, MOST, MOST).entries()) {
                    require(!entry.isEmpty() && entry.size() <= MOST, "the fields are bounded");
                    checkFields(entry);
                }
            }
            default -> checkStream(rest);
        }
    }

    private static void checkFields(List<Field> fields) {
        for (Field field : fields) {
            require(Field.isValidName(field.name()), "a name is valid");
            require(!field.name().startsWith("_"), "no field is trusted");
        }
    }

    private static void checkStream(byte[] bytes) {
        StreamLines lines = new StreamLines(LONGEST);
        byte[] first = Arrays.copyOfRange(bytes, 0, bytes.length / 2);
        byte[] second = Arrays.copyOfRange(bytes, bytes.length / 2, bytes.length);
        try {
            lines.take(first, first.length).forEach(LogMessageTarget::checkLine);
            lines.take(second, second.length).forEach(LogMessageTarget::checkLine);
        } catch (StreamLines.HeaderException e) {
            require(!String.valueOf(e.getMessage()).contains("\n"), "a refusal is one line");
            return;
        }
        lines.rest(StreamLines.Break.END).forEach(LogMessageTarget::checkLine);
    }

    private static void checkLine(StreamLines.Line line) {
        require(line.text().length <= LONGEST, "a line is bounded");
        require(line.priority() >= 0 && line.priority() <= 0xff, "a priority is in range");
    }
}
