package io.holdfast.manager.service;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.manager.exec.PassedDescriptors;
import io.holdfast.manager.exec.PassedDescriptors.Passed;
import io.holdfast.manager.survival.Survival;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.value.StandardDescriptor;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * The descriptors that the maker of a transient service has passed to it: its standard streams, and
 * others for its main process. They are kept until the service is inactive and is not restarted, so
 * that the maker sees the end of a pipe. Used on the event loop.
 */
final class GivenDescriptors implements AutoCloseable {
    private static final String KEY = "given ";
    private static final String OTHER = "-";

    private final Survival survival;
    private final UnitName unit;
    private final Consumer<Fd> closer;
    private final List<String> keys = new ArrayList<>();
    private PassedDescriptors given = PassedDescriptors.NONE;

    /**
     * @param survival keeps the descriptors across a crash of the manager
     * @param closer closes descriptors of other processes, which may block for long
     */
    GivenDescriptors(Survival survival, UnitName unit, Consumer<Fd> closer) {
        this.survival = survival;
        this.unit = unit;
        this.closer = closer;
    }

    private String prefix() {
        return KEY + unit + " ";
    }

    /** Takes the descriptors; this owns them. */
    void take(PassedDescriptors descriptors) {
        given = descriptors;
        given.streams().forEach((which, fd) -> keep(word(which), "", fd));
        given.list().forEach(passed -> keep(OTHER, passed.name(), passed.fd()));
    }

    private void keep(String role, String name, Fd fd) {
        String key = prefix() + keys.size() + " " + role + " " + name;
        keys.add(key);
        survival.keepClosable(key, List.of(fd));
    }

    private static String word(StandardDescriptor which) {
        return which.name().toLowerCase(Locale.ROOT);
    }

    /** Restores the descriptors that an earlier manager had taken. */
    void restore() {
        List<Passed> others = new ArrayList<>();
        Map<StandardDescriptor, Fd> streams = new EnumMap<>(StandardDescriptor.class);
        String prefix = prefix();
        for (String key : survival.keys(prefix)) {
            keys.add(key);
            String[] parts = key.substring(prefix.length()).split(" ", 3);
            for (Fd fd : survival.take(key)) {
                stream(parts[1])
                        .ifPresentOrElse(
                                which -> streams.put(which, fd),
                                () -> others.add(new Passed(fd, parts[2])));
            }
        }
        given = new PassedDescriptors(others, Map.of(), streams);
    }

    private static Optional<StandardDescriptor> stream(String role) {
        for (StandardDescriptor which : StandardDescriptor.values()) {
            if (word(which).equals(role)) {
                return Optional.of(which);
            }
        }
        return Optional.empty();
    }

    /**
     * Returns duplicates for one command; the caller closes them.
     *
     * @param all whether the command gets more than the standard streams
     * @throws ErrnoException EMFILE
     */
    PassedDescriptors passed(boolean all) {
        List<Passed> others = new ArrayList<>();
        Map<StandardDescriptor, Fd> streams = new EnumMap<>(StandardDescriptor.class);
        try {
            given.streams().forEach((which, fd) -> streams.put(which, fd.duplicate()));
            for (Passed one : all ? given.list() : List.<Passed>of()) {
                others.add(new Passed(one.fd().duplicate(), one.name()));
            }
            return new PassedDescriptors(others, Map.of(), streams);
        } catch (ErrnoException e) {
            streams.values().forEach(closer);
            others.forEach(passed -> closer.accept(passed.fd()));
            throw e;
        }
    }

    /** Returns the names of those that are not standard streams. */
    List<String> names() {
        return given.list().stream().map(Passed::name).toList();
    }

    /** Returns whether there are none. */
    boolean isEmpty() {
        return given.list().isEmpty() && given.streams().isEmpty();
    }

    /** Drops all of them. */
    @Override
    public void close() {
        keys.forEach(survival::drop);
        keys.clear();
        given.streams().values().forEach(closer);
        given.list().forEach(passed -> closer.accept(passed.fd()));
        given = PassedDescriptors.NONE;
    }
}
