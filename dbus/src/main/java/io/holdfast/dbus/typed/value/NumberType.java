package io.holdfast.dbus.typed.value;

import java.math.BigInteger;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The type of an integral number: any Java type as any D-Bus type, checked against both ranges. */
public record NumberType(String signature, NumberType.Range wire, NumberType.Java java)
        implements WireType {
    private static final BigInteger UNSIGNED_LONG =
            BigInteger.ONE.shiftLeft(64).subtract(BigInteger.ONE);

    private static final Map<String, Range> WIRE =
            Map.of(
                    "y", new Range(0, 0xff),
                    "n", new Range(Short.MIN_VALUE, Short.MAX_VALUE),
                    "q", new Range(0, 0xffff),
                    "i", new Range(Integer.MIN_VALUE, Integer.MAX_VALUE),
                    "u", new Range(0, 0xffff_ffffL),
                    "x", new Range(Long.MIN_VALUE, Long.MAX_VALUE),
                    "t", new Range(BigInteger.ZERO, UNSIGNED_LONG));

    /** The Java types, with the D-Bus types that they have without an annotation. */
    private static final Map<Class<?>, Java> JAVA =
            Map.of(
                    short.class, Java.SHORT,
                    Short.class, Java.SHORT,
                    int.class, Java.INT,
                    Integer.class, Java.INT,
                    long.class, Java.LONG,
                    Long.class, Java.LONG,
                    BigInteger.class, Java.BIG);

    /** The range from the lowest number to the highest. */
    public record Range(BigInteger low, BigInteger high) {
        Range(long low, long high) {
            this(BigInteger.valueOf(low), BigInteger.valueOf(high));
        }

        boolean has(BigInteger number) {
            return low.compareTo(number) <= 0 && number.compareTo(high) <= 0;
        }

        @Override
        public String toString() {
            return low + " to " + high;
        }
    }

    /** The Java types; a primitive type and its wrapper are one. */
    public enum Java {
        SHORT("n", Short.MIN_VALUE, Short.MAX_VALUE),
        INT("i", Integer.MIN_VALUE, Integer.MAX_VALUE),
        LONG("x", Long.MIN_VALUE, Long.MAX_VALUE),
        BIG("", 0, 0);

        private final String own;
        private final Range range;

        Java(String own, long low, long high) {
            this.own = own;
            this.range = new Range(low, high);
        }

        boolean has(BigInteger number) {
            return this == BIG || range.has(number);
        }

        Number of(BigInteger number) {
            return switch (this) {
                case SHORT -> number.shortValueExact();
                case INT -> number.intValueExact();
                case LONG -> number.longValueExact();
                case BIG -> number;
            };
        }
    }

    public static boolean isNumber(Class<?> type) {
        return JAVA.containsKey(type);
    }

    /**
     * Returns the type of a class.
     *
     * @param code the D-Bus type; null for the default of the class
     * @throws IllegalArgumentException if there is no such type
     */
    public static NumberType of(Class<?> type, @Nullable String code) {
        Java java = JAVA.get(type);
        if (java == null) {
            throw new IllegalArgumentException(type + " is no integral number");
        }
        String signature = code == null ? java.own : code;
        Range wire = WIRE.get(signature);
        if (wire == null) {
            throw new IllegalArgumentException(
                    code == null
                            ? "BigInteger needs @Wire(\"t\") or another number's type"
                            : "@Wire(\"" + code + "\") is for no number: y n q i u x t are");
        }
        return new NumberType(signature, wire, java);
    }

    @Override
    public Object toWire(@Nullable Object value) {
        Object given = UnfitException.present(value);
        if (signature.equals(java.own)) {
            return given;
        }
        BigInteger number =
                given instanceof BigInteger big
                        ? big
                        : BigInteger.valueOf(((Number) given).longValue());
        if (!wire.has(number)) {
            throw new UnfitException(
                    "is %s, and the type %s has %s".formatted(number, signature, wire));
        }
        return number.longValue(); // the 64 bits of a t, as a long
    }

    @Override
    public Object toJava(Object plain, Descriptors descriptors) {
        if (signature.equals(java.own)) {
            return plain;
        }
        BigInteger number = number((Number) plain);
        if (!java.has(number)) {
            throw new UnfitException(
                    "is %s, and its Java type has %s".formatted(number, java.range));
        }
        return java.of(number);
    }

    private BigInteger number(Number plain) {
        return switch (signature) {
            case "t" -> BigInteger.valueOf(plain.longValue()).and(UNSIGNED_LONG);
            case "y" -> BigInteger.valueOf(plain.byteValue() & 0xff);
            default -> BigInteger.valueOf(plain.longValue());
        };
    }
}
