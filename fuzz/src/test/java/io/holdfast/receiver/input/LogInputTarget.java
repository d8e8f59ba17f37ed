package io.holdfast.receiver.input;

import static io.holdfast.fuzz.Inputs.require;

import io.holdfast.fuzz.Bounds;
import io.holdfast.journal.Field;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;

/**
 * What the kernel and service managers write, by the first byte: the settings of a unit, the
 * patterns of a cgroup with a message, a record of the kernel, or one of its audit. Fields are
 * bounded in number and have valid names, those of a unit are not trusted ones, and no pattern is
 * matched for ever.
 */
public final class LogInputTarget {
    private static final int MOST = 4;

    private LogInputTarget() {}

    public static void fuzzerTestOneInput(byte[] input) throws Exception {
        Bounds.within(input, LogInputTarget::check);
    }

    private static void check(byte[] input) {
        if (input.length == 0) {
            return;
        }
        byte[] rest = Arrays.copyOfRange(input, 1, input.length);
        switch (input[0] % 4) {
            case 0 -> settings(rest);
            case 1 -> patterns(rest);
            case 2 ->
                    KernelRecord.parse(rest, rest.length)
                            .ifPresent(record -> {
                                require(record.sequence() >= 0, "a number is not negative");
                                checkNames(record.fields());
                            });
            default -> AuditRecord.parse(rest, rest.length).forEach(LogInputTarget::checkNames);
        }
    }

    private static void settings(byte[] bytes) {
        String text = new String(bytes, StandardCharsets.ISO_8859_1);
        UnitSettings settings = UnitSettings.parse(text, text, text, text, bytes, MOST);
        require(settings.extraFields().size() <= MOST, "the fields are bounded");
        checkNames(settings.extraFields());
        settings.extraFields()
                .forEach(field -> require(!field.name().startsWith("_"), "no field is trusted"));
        settings.levelMax().ifPresent(level -> require(level >= 0 && level <= 7, "a level"));
    }

    private static void patterns(byte[] bytes) {
        int half = bytes.length / 2;
        MessageFilter filter = MessageFilter.parse(Arrays.copyOfRange(bytes, 0, half), MOST);
        boolean isAdmitted = filter.admits(Arrays.copyOfRange(bytes, half, bytes.length));
        require(isAdmitted || !filter.isEmpty(), "without patterns nothing is dropped");
    }

    private static void checkNames(List<Field> fields) {
        fields.forEach(field -> require(Field.isValidName(field.name()), "a name is valid"));
    }
}
