package io.holdfast.manager.unit.value;

import io.holdfast.core.process.Resource;
import java.util.Optional;

/**
 * A soft and a hard limit of {@code setrlimit(2)}, in the kernel's unit: bytes, seconds for {@code
 * CPU}, microseconds for {@code RTTIME}, 20 minus the level for {@code NICE}, else a count.
 *
 * @param soft unsigned; {@link Resource#INFINITY} for none
 * @param hard unsigned, no less than {@code soft}
 */
public record ResourceLimit(long soft, long hard) {
    private static final String PREFIX = "Limit";
    private static final long SECOND = 1_000_000;

    /**
     * @throws IllegalArgumentException if the soft limit is above the hard one
     */
    public ResourceLimit {
        if (Long.compareUnsigned(soft, hard) > 0) {
            throw new IllegalArgumentException("the soft limit is above the hard one");
        }
    }

    /** Returns the directive of a resource: {@code LimitNOFILE}. */
    public static String directive(Resource resource) {
        return PREFIX + resource.name();
    }

    public static Optional<Resource> ofDirective(String key) {
        for (Resource resource : Resource.values()) {
            if (directive(resource).equals(key)) {
                return Optional.of(resource);
            }
        }
        return Optional.empty();
    }

    /**
     * Parses {@code VALUE} for both or {@code SOFT:HARD}: sizes, time spans, nice levels (with a
     * sign) or plain numbers, in the unit of the resource.
     *
     * @throws IllegalArgumentException if it is not a limit for this resource
     */
    public static ResourceLimit parse(Resource resource, String text) {
        int colon = text.indexOf(':');
        if (colon < 0) {
            long both = parseOne(resource, text);
            return new ResourceLimit(both, both);
        }
        return new ResourceLimit(
                parseOne(resource, text.substring(0, colon).strip()),
                parseOne(resource, text.substring(colon + 1).strip()));
    }

    /** Returns the text of a limit in the kernel's unit: a number, or {@code infinity}. */
    public static String text(long value) {
        return value == Resource.INFINITY ? "infinity" : Long.toUnsignedString(value);
    }

    private static long parseOne(Resource resource, String text) {
        return switch (resource) {
            case CPU -> seconds(TimeSpan.parse(text));
            case RTTIME -> micros(TimeSpan.parseMicros(text));
            case FSIZE, DATA, STACK, CORE, RSS, AS, MEMLOCK, MSGQUEUE -> Scalars.parseSize(text);
            case NICE ->
                    text.startsWith("+") || text.startsWith("-")
                            ? 20 - Scalars.parseInt(text, -20, 19)
                            : Scalars.parseInt(text, 0, 40);
            case NPROC, NOFILE, LOCKS, SIGPENDING, RTPRIO -> Scalars.parseUnsigned(text);
        };
    }

    private static long seconds(TimeSpan span) {
        return span.isInfinite() ? Resource.INFINITY : Math.ceilDiv(span.micros(), SECOND);
    }

    private static long micros(TimeSpan span) {
        return span.isInfinite() ? Resource.INFINITY : span.micros();
    }
}
