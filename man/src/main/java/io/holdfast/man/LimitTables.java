package io.holdfast.man;

import io.holdfast.bus.config.BusLimit;
import io.holdfast.cli.command.ProcessLimits;
import io.holdfast.core.limit.Limit;
import java.util.Locale;

/** Writes the limits with their defaults as Asciidoc lists. */
final class LimitTables {
    private LimitTables() {}

    /** Returns the limits that a system property sets. */
    static String ofDaemons() {
        StringBuilder list = new StringBuilder();
        for (Limit limit : ProcessLimits.all()) {
            String unit =
                    switch (limit.unit()) {
                        case COUNT -> "";
                        case BYTES -> " bytes";
                        case MILLISECONDS -> " ms";
                    };
            list.append("*%s* (%d%s)::\n".formatted(limit.property(), limit.standard(), unit))
                    .append("  ")
                    .append(Asciidoc.inline(limit.what()))
                    .append("\n\n");
        }
        return list.toString();
    }

    /** Returns the limits of the bus, which its configuration sets. */
    static String ofBus() {
        StringBuilder list = new StringBuilder();
        for (BusLimit limit : BusLimit.values()) {
            String name = limit.name().toLowerCase(Locale.ROOT);
            list.append("* *%s*: %s\n".formatted(name, value(limit)));
        }
        return list.toString();
    }

    private static String value(BusLimit limit) {
        return limit.builtIn() < 0 ? "none" : Long.toString(limit.builtIn());
    }
}
