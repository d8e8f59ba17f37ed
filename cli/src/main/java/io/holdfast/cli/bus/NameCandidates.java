package io.holdfast.cli.bus;

import io.holdfast.cli.command.BusArgument;
import io.holdfast.cli.command.Candidate;
import io.holdfast.dbus.BusConnection;
import java.util.Comparator;
import java.util.List;
import picocli.CommandLine.ParseResult;

/** Completes names that have an owner on the bus of {@code --bus}, well-known names first. */
public final class NameCandidates {
    private NameCandidates() {}

    public static List<Candidate> of(ParseResult line) {
        String address = line.matchedOptionValue("--bus", BusArgument.SYSTEM);
        return Candidate.query(() -> {
            try (BusConnection bus = BusArgument.connect(address)) {
                List<?> names =
                        (List<?>)
                                bus.bus().call("org.freedesktop.DBus", "ListNames", "").getFirst();
                return Candidate.of(
                        names.stream()
                                .map(String::valueOf)
                                .sorted(
                                        Comparator.comparing((String name) -> name.startsWith(":"))
                                                .thenComparing(Comparator.naturalOrder()))
                                .toList());
            }
        });
    }
}
