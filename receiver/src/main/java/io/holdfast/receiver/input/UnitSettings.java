package io.holdfast.receiver.input;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.holdfast.journal.Field;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * What a service manager has set for the messages of a unit, in the form that systemd has for
 * journald. Values that are wrong count as absent.
 *
 * @param invocationId of the run, 32 hexadecimal digits; empty: not known
 * @param levelMax the least important level that is stored, 0 to 7
 * @param rateInterval of the rate limit, in microseconds; 0: there is no limit; less than 0:
 *     infinite
 * @param rateBurst messages within one interval; 0: there is no limit
 * @param extraFields of each entry
 */
public record UnitSettings(
        Optional<String> invocationId,
        OptionalInt levelMax,
        OptionalLong rateInterval,
        OptionalLong rateBurst,
        List<Field> extraFields) {
    /** Those of a unit for which nothing is set. */
    public static final UnitSettings NONE =
            new UnitSettings(
                    Optional.empty(),
                    OptionalInt.empty(),
                    OptionalLong.empty(),
                    OptionalLong.empty(),
                    List.of());

    private static final int SIZE_BYTES = 8;

    public UnitSettings {
        extraFields = List.copyOf(extraFields);
    }

    /**
     * Parses the settings; each is empty if it is not set.
     *
     * @param fields for each its size as 64 bits, little endian, and NAME=value
     * @param mostFields further ones are ignored
     */
    public static UnitSettings parse(
            String invocationId,
            String levelMax,
            String rateInterval,
            String rateBurst,
            byte[] fields,
            int mostFields) {
        return new UnitSettings(
                Optional.of(invocationId).filter(id -> id.matches("[0-9a-f]{32}")),
                levelMax.matches("[0-7]")
                        ? OptionalInt.of(Integer.parseInt(levelMax))
                        : OptionalInt.empty(),
                number(rateInterval),
                number(rateBurst),
                fields(fields, mostFields));
    }

    /** Returns the same settings for a run whose id is not known. */
    public UnitSettings withoutInvocation() {
        return new UnitSettings(Optional.empty(), levelMax, rateInterval, rateBurst, extraFields);
    }

    private static OptionalLong number(String text) {
        try {
            return text.matches("[0-9]{1,20}")
                    ? OptionalLong.of(Long.parseUnsignedLong(text))
                    : OptionalLong.empty();
        } catch (NumberFormatException e) {
            return OptionalLong.empty(); // more than 64 bits
        }
    }

    private static List<Field> fields(byte[] content, int mostFields) {
        List<Field> fields = new ArrayList<>();
        ByteBuffer rest = ByteBuffer.wrap(content).order(ByteOrder.LITTLE_ENDIAN);
        while (rest.remaining() > SIZE_BYTES && fields.size() < mostFields) {
            long size = rest.getLong();
            if (size < 1 || size > rest.remaining()) {
                break; // the rest cannot be found
            }
            byte[] field = new byte[(int) size];
            rest.get(field);
            int equals = 0;
            while (equals < field.length && field[equals] != '=') {
                equals++;
            }
            String name = new String(field, 0, equals, UTF_8);
            if (equals < field.length && !name.startsWith("_") && Field.isValidName(name)) {
                fields.add(Field.of(name, Arrays.copyOfRange(field, equals + 1, field.length)));
            }
        }
        return fields;
    }
}
