package io.holdfast.manager.unit.resource;

import io.holdfast.manager.unit.directive.Assignment;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/**
 * The IP addresses with which the processes of a unit may exchange packets: those that are allowed,
 * and those that are not denied.
 */
public record AddressSettings(List<AddressRange> allowed, List<AddressRange> denied) {
    /** Every packet passes. */
    public static final AddressSettings ALL = new AddressSettings(List.of(), List.of());

    public AddressSettings {
        allowed = List.copyOf(allowed);
        denied = List.copyOf(denied);
    }

    /** Returns whether some packets do not pass. */
    public boolean isRestricted() {
        return !denied.isEmpty();
    }

    /** Returns those of a unit in slices: all addresses that one of them allows or denies. */
    public AddressSettings and(Stream<AddressSettings> ofSlices) {
        Set<AddressRange> allow = new LinkedHashSet<>(allowed);
        Set<AddressRange> deny = new LinkedHashSet<>(denied);
        ofSlices.forEach(each -> {
            allow.addAll(each.allowed);
            deny.addAll(each.denied);
        });
        return new AddressSettings(List.copyOf(allow), List.copyOf(deny));
    }

    AddressSettings readAllowed(Assignment a) {
        return new AddressSettings(read(a, allowed), denied);
    }

    AddressSettings readDenied(Assignment a) {
        return new AddressSettings(allowed, read(a, denied));
    }

    /** Reads words; an empty assignment forgets the earlier ones. */
    private static List<AddressRange> read(Assignment a, List<AddressRange> before) {
        if (a.isEmpty()) {
            return List.of();
        }
        Set<AddressRange> all = new LinkedHashSet<>(before);
        for (String word : a.value().strip().split("\\s+")) {
            try {
                all.addAll(AddressRange.parse(a.specifiers().expand(word)));
            } catch (IllegalArgumentException e) {
                a.ignored(String.valueOf(e.getMessage()));
            }
        }
        return List.copyOf(all);
    }
}
