package io.holdfast.manager.unit.resource;

import io.holdfast.manager.unit.directive.Assignment;
import io.holdfast.manager.unit.value.Scalars;
import io.holdfast.manager.unit.value.TimeSpan;
import io.holdfast.manager.unit.value.WordReader;
import java.util.ArrayList;
import java.util.List;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/**
 * The kinds of values of the directives: each reads a value, and has the value of a unit without.
 */
public enum ResourceKind {
    /** A Boolean. */
    SWITCH(false),
    /** A Long from 1 to 10000. */
    WEIGHT(ResourceKind.UNSET),
    /** A Long from 1 to 10000, or 0 for {@code idle}. */
    CPU_WEIGHT(ResourceKind.UNSET),
    /** A Long from 2 to 262144: the weight of cgroup v1's CPU controller. */
    SHARES(ResourceKind.UNSET),
    /** A Long from 10 to 1000: the weight of cgroup v1's IO controller. */
    BLOCK_WEIGHT(ResourceKind.UNSET),
    /** A Long: microseconds of CPU time in a second. */
    QUOTA(ResourceKind.UNSET),
    /** A Long: microseconds. */
    PERIOD(ResourceKind.UNSET),
    /** A {@link NumberSet}. */
    NUMBERS(NumberSet.ofBits(new byte[0])),
    /** An {@link Amount} of memory that is protected. */
    PROTECTION(Amount.ZERO),
    /** An {@link Amount} of memory, not zero. */
    MEMORY(Amount.INFINITE),
    /** An {@link Amount} of swap space, which may be zero. */
    SWAP(Amount.INFINITE),
    /** An {@link Amount} of tasks. */
    TASKS(Amount.INFINITE),
    /** A list of {@link DeviceValue} with weights. */
    DEVICE_WEIGHTS(List.of()),
    /** The same with the weights of cgroup v1. */
    DEVICE_BLOCK_WEIGHTS(List.of()),
    /** A list of {@link DeviceValue} with bytes or operations a second. */
    DEVICE_RATES(List.of()),
    /** A list of {@link DeviceValue} with microseconds. */
    DEVICE_TIMES(List.of());

    /** The number that stands for a value that is not set, as systemd's interface has it. */
    public static final long UNSET = -1;

    private static final int DECIMAL = 1000;
    private static final int MICROS_PER_SHARE = 1_000_000 / Amount.WHOLE;

    private final Object otherwise;

    ResourceKind(Object otherwise) {
        this.otherwise = otherwise;
    }

    /** Returns the value of a unit that sets none. */
    public Object otherwise() {
        return otherwise;
    }

    /**
     * Reads an assignment, and reports it if it is invalid.
     *
     * @param before the value so far; null if none is set
     * @return the next value; null if none is set
     */
    @Nullable Object read(Assignment a, @Nullable Object before) {
        if (a.isEmpty()) {
            return null;
        }
        try {
            return parse(a, a.value(), before);
        } catch (IllegalArgumentException e) {
            a.ignored(String.valueOf(e.getMessage()));
            return before;
        }
    }

    private Object parse(Assignment a, String text, @Nullable Object before) {
        return switch (this) {
            case SWITCH -> Scalars.parseBoolean(text);
            case WEIGHT -> weight(text, 1, 10_000);
            case CPU_WEIGHT -> text.equals("idle") ? 0L : weight(text, 1, 10_000);
            case SHARES -> weight(text, 2, 262_144);
            case BLOCK_WEIGHT -> weight(text, 10, 1000);
            case QUOTA -> quota(text);
            case PERIOD -> TimeSpan.parse(text).micros();
            case NUMBERS ->
                    before == null
                            ? NumberSet.parse(text)
                            : ((NumberSet) before).and(NumberSet.parse(text));
            case PROTECTION, SWAP -> Amount.parse(text, ResourceKind::size);
            case MEMORY -> notZero(Amount.parse(text, ResourceKind::size), text);
            case TASKS -> notZero(Amount.parse(text, Scalars::parseUnsigned), text);
            case DEVICE_WEIGHTS -> device(a, before, value -> weight(value, 1, 10_000));
            case DEVICE_BLOCK_WEIGHTS -> device(a, before, value -> weight(value, 10, 1000));
            case DEVICE_RATES -> device(a, before, ResourceKind::rate);
            case DEVICE_TIMES -> device(a, before, value -> TimeSpan.parse(value).micros());
        };
    }

    private static long weight(String text, int low, int high) {
        return Scalars.parseInt(text, low, high);
    }

    private static long quota(String text) {
        long share = Amount.parseShare(text);
        if (share == 0) {
            throw Scalars.bad("a share above 0 %", text);
        }
        return share * MICROS_PER_SHARE;
    }

    private static long size(String text) {
        long size = Scalars.parseSize(text);
        if (size == -1) {
            throw Scalars.bad("less than 2^64-1", text);
        }
        return size;
    }

    private static long rate(String text) {
        long rate = Scalars.parseSize(text, DECIMAL);
        if (rate == 0) {
            throw Scalars.bad("more than 0", text);
        }
        return rate;
    }

    private static Amount notZero(Amount amount, String text) {
        if (amount.isZero()) {
            throw Scalars.bad("more than 0", text);
        }
        return amount;
    }

    /** Reads {@code PATH VALUE}, and replaces the value of the same path. */
    private static List<DeviceValue> device(
            Assignment a, @Nullable Object before, ToLongFunction<String> parser) {
        WordReader words = new WordReader(a.value(), WordReader.Backslash.LITERAL_NEXT);
        String path = words.next();
        String value = words.next();
        if (path == null || value == null || words.next() != null) {
            throw Scalars.bad("a path and a value", a.value());
        }
        String expanded = a.specifiers().expand(path);
        return with(before, new DeviceValue(expanded, parser.applyAsLong(value)));
    }

    private static List<DeviceValue> with(@Nullable Object before, DeviceValue added) {
        List<DeviceValue> all = new ArrayList<>();
        if (before instanceof List<?> list) {
            for (Object each : list) {
                if (!((DeviceValue) each).path().equals(added.path())) {
                    all.add((DeviceValue) each);
                }
            }
        }
        all.add(added);
        return List.copyOf(all);
    }
}
