package io.holdfast.receiver;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.holdfast.core.EventLoop;
import io.holdfast.journal.Field;
import io.holdfast.journal.Id128;
import io.holdfast.receiver.store.Store;
import io.holdfast.receiver.store.StoredEntry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;

/**
 * The way of all messages from their sockets into the store: each is counted against the rate limit
 * of its unit, or of its user if it has none and the user is not root, and gets the fields that no
 * sender can set. While the store has no room, messages wait in their sockets, and so their senders
 * wait. Used on the loop.
 */
final class Intake {
    private static final Path HOSTNAME = Path.of("/proc/sys/kernel/hostname");
    private static final long HOSTNAME_AGE = 1_000_000_000L;

    /** A socket from which messages come. */
    interface Source {
        /** Begins or stops to look for messages. */
        void listen(boolean whether);
    }

    private final EventLoop loop;
    private final Store store;
    private final BurstLimit limit =
            new BurstLimit(
                    ReceiverLimits.RATE_BURST.intValue(),
                    ReceiverLimits.RATE_INTERVAL.duration().toNanos(),
                    System::nanoTime);
    private final List<Source> sources = new ArrayList<>();
    private final Deque<StoredEntry> refused = new ArrayDeque<>(); // of one batch at most
    private final Field machine;
    private Field hostname = Field.of("_HOSTNAME", "localhost");
    private long hostnameAt;
    private long received;
    private long suppressed;
    private boolean waiting;

    Intake(EventLoop loop, Store store) throws IOException {
        this.loop = loop;
        this.store = store;
        this.machine = Field.of("_MACHINE_ID", Id128.machine().toString());
    }

    void add(Source source) {
        sources.add(source);
        source.listen(!waiting);
    }

    void remove(Source source) {
        sources.remove(source);
    }

    /** {@return whether the store has no room: sources are to stop} */
    boolean isWaiting() {
        return waiting;
    }

    long received() {
        return received;
    }

    long suppressed() {
        return suppressed;
    }

    /**
     * Takes a message.
     *
     * @param unit to which it belongs, if that is not the one of the sender
     * @param message the fields that the sender has set
     */
    void take(
            String transport,
            Attribution.Known sender,
            Optional<String> unit,
            List<Field> message) {
        received++;
        Optional<String> belongs = unit.or(sender::unit);
        if (belongs.isPresent() || sender.uid() != 0) { // root's own programs may log all they want
            String who = belongs.orElseGet(() -> "user " + sender.uid());
            long dropped = limit.renew(who);
            if (dropped > 0) {
                report(who, dropped, sender, belongs);
            }
            if (limit.count(who) == BurstLimit.Verdict.DROP) {
                suppressed++;
                return;
            }
        }
        store(sender.uid(), complete(transport, sender, unit, message));
    }

    private void report(String who, long dropped, Attribution.Known sender, Optional<String> unit) {
        List<Field> fields = new ArrayList<>();
        fields.add(Field.of("MESSAGE", "Suppressed " + dropped + " messages from " + who));
        fields.add(Field.of("PRIORITY", "4"));
        fields.add(Field.of("SYSLOG_IDENTIFIER", "holdfast"));
        fields.add(Field.of("N_DROPPED", Long.toString(dropped)));
        unit.ifPresent(name -> fields.add(Field.of("OBJECT_SYSTEMD_UNIT", name)));
        fields.add(Field.of("OBJECT_UID", Long.toString(sender.uid())));
        fields.add(Field.of("_TRANSPORT", "driver"));
        fields.add(machine);
        fields.add(hostname());
        store(0, fields);
    }

    private List<Field> complete(
            String transport,
            Attribution.Known sender,
            Optional<String> unit,
            List<Field> message) {
        List<Field> fields = new ArrayList<>(message.size() + sender.fields().size() + 5);
        fields.addAll(message);
        fields.add(Field.of("_TRANSPORT", transport));
        for (Field field : sender.fields()) {
            if (unit.isEmpty() || !field.hasName("_SYSTEMD_UNIT")) {
                fields.add(field);
            }
        }
        unit.ifPresent(name -> fields.add(Field.of("_SYSTEMD_UNIT", name)));
        fields.add(machine);
        fields.add(hostname());
        return fields;
    }

    private Field hostname() {
        long now = System.nanoTime();
        if (hostnameAt == 0 || now - hostnameAt > HOSTNAME_AGE) {
            hostnameAt = now;
            try {
                hostname = Field.of("_HOSTNAME", Files.readString(HOSTNAME, UTF_8).strip());
            } catch (IOException e) {
                // stays what it was
            }
        }
        return hostname;
    }

    private void store(long owner, List<Field> fields) {
        StoredEntry entry = StoredEntry.now(owner, fields);
        if (waiting || !store.offer(entry)) {
            refused.add(entry);
            if (!waiting) {
                waiting = true;
                List.copyOf(sources).forEach(source -> source.listen(false));
                store.whenThereIsRoom(() -> loop.postEnding(this::resume));
            }
        }
    }

    private void resume() {
        while (!refused.isEmpty()) {
            if (!store.offer(refused.getFirst())) {
                store.whenThereIsRoom(() -> loop.postEnding(this::resume));
                return;
            }
            refused.removeFirst();
        }
        waiting = false;
        List.copyOf(sources).forEach(source -> source.listen(true));
    }
}
