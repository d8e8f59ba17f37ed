package io.holdfast.receiver;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.holdfast.core.EventLoop;
import io.holdfast.journal.Field;
import io.holdfast.journal.Id128;
import io.holdfast.receiver.input.MessageFilter;
import io.holdfast.receiver.input.UnitSettings;
import io.holdfast.receiver.store.Store;
import io.holdfast.receiver.store.StoredEntry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * The way of all messages from their sockets into the store: each is counted against the rate limit
 * of its unit, or of its user if it has none and the user is not root, and gets the fields that no
 * sender can set. While the store has no room, messages wait in their sockets, and so their senders
 * wait. Used on the loop.
 */
final class Intake {
    private static final Path HOSTNAME = Path.of("/proc/sys/kernel/hostname");
    private static final long HOSTNAME_AGE = 1_000_000_000L;
    private static final int MOST_TURNS = 1000; // of the loop
    private static final Duration PAUSE = Duration.ofMillis(5);
    private static final int USUAL_BYTES = 16 << 10; // of a message that counts as one
    private static final int USUAL_FIELDS = 32;
    private static final int LEAST_IMPORTANT = 7; // debug
    private static final long LONGEST = Long.MAX_VALUE / 1000; // microseconds
    private static final BurstLimit.Rate UNLIMITED =
            new BurstLimit.Rate(Long.MAX_VALUE, Long.MAX_VALUE);

    /** A socket from which messages come. */
    interface Source {
        /** Begins or stops to look for messages. */
        void listen(boolean whether);
    }

    /** A source that wants to know when its messages are in the journal's files. */
    interface Settling {
        /** Called when there was progress. Returns false when nothing is left to wait for. */
        boolean progressed(Store.Progress progress);
    }

    private final EventLoop loop;
    private final Store store;
    private final SettingsOfUnits units;
    private final BurstLimit limit;
    private final List<Source> sources = new ArrayList<>();
    private final Deque<StoredEntry> refused = new ArrayDeque<>(); // of one batch at most
    private final Field machine;
    private final Field boot = Field.of("_BOOT_ID", Id128.boot().toString());
    private Field hostname = Field.of("_HOSTNAME", "localhost");
    private long hostnameAt;
    private final Set<Settling> unsettled = new LinkedHashSet<>();
    private final AtomicBoolean isProgressPosted = new AtomicBoolean();
    private volatile boolean isProgressWanted;
    private long accepted;
    private long received;
    private boolean waiting;
    private boolean isRunning;
    private boolean isInTurn;

    /**
     * @param usual the rate of units and users that have none of their own
     */
    Intake(EventLoop loop, Store store, SettingsOfUnits units, BurstLimit.Rate usual)
            throws IOException {
        this.units = units;
        this.limit = new BurstLimit(usual, System::nanoTime);
        this.loop = loop;
        this.store = store;
        store.onProgress(this::postProgress);
        this.machine = Field.of("_MACHINE_ID", Id128.machine().toString());
    }

    void add(Source source) {
        sources.add(source);
        source.listen(!waiting);
    }

    void remove(Source source) {
        sources.remove(source);
    }

    /** Has the loop run from now on, so that nothing may wait for the disk any more. */
    void begin() {
        isRunning = true;
    }

    /** {@return whether the store has no room: sources are to stop} */
    boolean isWaiting() {
        return waiting;
    }

    /** Runs a turn of a source, whose entries are handed to the thread of the store together. */
    void turn(Runnable receive) {
        isInTurn = true;
        try {
            receive.run();
        } finally {
            isInTurn = false;
            store.wake();
        }
    }

    /** {@return the number of the last entry that was taken, as {@link Store.Progress} counts} */
    long accepted() {
        return accepted;
    }

    /** Calls back when there is progress, until it returns false. */
    void whenProgressed(Settling source) {
        unsettled.add(source);
        isProgressWanted = true;
        if (source.progressed(store.progress())) {
            return; // an entry is on its way, so there will be progress
        }
        unsettled.remove(source);
    }

    /** Called by the thread of the store. */
    private void postProgress() {
        if (isProgressWanted && !isProgressPosted.getAndSet(true)) {
            loop.postEnding(this::progressed);
        }
    }

    private void progressed() {
        isProgressPosted.set(false);
        Store.Progress progress = store.progress();
        for (Settling each : List.copyOf(unsettled)) {
            if (!each.progressed(progress)) {
                unsettled.remove(each);
            }
        }
        isProgressWanted = !unsettled.isEmpty();
    }

    /**
     * Takes a message.
     *
     * @param transport the field that names its way
     * @param unit to which it belongs, if that is not the one of the sender
     * @param invocation the run of the unit, if it is known
     * @param bytes that were received, with those that are in no field
     * @param message the fields that the sender has set
     */
    void take(
            Field transport,
            Attribution.Known sender,
            Optional<String> unit,
            Optional<String> invocation,
            long bytes,
            List<Field> message) {
        received++;
        Optional<String> belongs = unit.or(sender::unit);
        UnitSettings settings = settings(sender, belongs);
        if (!isWanted(settings, sender.filter(), message)) {
            return;
        }
        if (!passes(sender, belongs, settings, weight(bytes, message.size()))) {
            return;
        }
        store(sender.uid(), complete(transport, sender, unit, settings, invocation, message));
    }

    /**
     * Drops a message before it is parsed, if its sender is beyond the rate: a flood is to cost as
     * little as possible.
     */
    boolean drops(Attribution.Known sender) {
        Optional<String> unit = sender.unit();
        String who = nameOf(sender, unit);
        if (!limit.isFull(who)) {
            return false;
        }
        report(who, sender, unit);
        if (!limit.isFull(who)) { // the next interval has begun
            return false;
        }
        received++;
        return !passes(sender, unit, settings(sender, unit), 1);
    }

    /** Counts a message of which nothing is stored. */
    void refuse(Attribution.Known sender, long bytes) {
        received++;
        boolean _ =
                passes(sender, sender.unit(), settings(sender, sender.unit()), weight(bytes, 0));
    }

    private UnitSettings settings(Attribution.Known sender, Optional<String> unit) {
        return unit.map(name -> units.of(name, sender.since())).orElse(UnitSettings.NONE);
    }

    /**
     * Returns as how many messages one counts: a large one takes the time and the space of others,
     * and a field takes a tenth of the time of a short message.
     */
    private static long weight(long bytes, int fields) {
        return 1 + bytes / USUAL_BYTES + fields / USUAL_FIELDS;
    }

    private static String nameOf(Attribution.Known sender, Optional<String> unit) {
        return unit.orElseGet(sender::user);
    }

    /** Counts a message against the rate of its unit or user. */
    private boolean passes(
            Attribution.Known sender, Optional<String> unit, UnitSettings settings, long weight) {
        if (unit.isEmpty() && sender.uid() == 0) {
            return true; // root's own programs may log all they want
        }
        String who = nameOf(sender, unit);
        report(who, sender, unit);
        BurstLimit.Verdict verdict = limit.count(who, rate(settings), weight);
        if (verdict == BurstLimit.Verdict.DROP_FIRST && limit.left(who) < Long.MAX_VALUE) {
            EventLoop.Timer _ = // also if no message follows
                    loop.after(Duration.ofNanos(limit.left(who)), () -> report(who, sender, unit));
        }
        return verdict == BurstLimit.Verdict.PASS;
    }

    /**
     * Takes a message of the kernel, which has no sender.
     *
     * @param message all fields but those of the machine
     */
    void takeOfKernel(String transport, List<Field> message) {
        received++;
        List<Field> fields = new ArrayList<>(message);
        fields.add(Field.of("_TRANSPORT", transport));
        addMachine(fields);
        store(0, fields);
    }

    /**
     * Calls back when a turn of the loop has brought no message, so when all that was sent so far
     * is taken; under a flood that never ends, after a number of turns.
     */
    void whenQuiet(Runnable then) {
        whenQuiet(then, received, MOST_TURNS);
    }

    private void whenQuiet(Runnable then, long before, int turns) {
        loop.postEnding(() -> {
            if (turns == 0 || (received == before && !waiting)) {
                then.run();
            } else if (waiting) {
                EventLoop.Timer _ = loop.after(PAUSE, () -> whenQuiet(then, received, turns - 1));
            } else {
                whenQuiet(then, received, turns - 1);
            }
        });
    }

    /** Returns whether the unit's settings have a message stored. */
    private static boolean isWanted(
            UnitSettings settings, MessageFilter filter, List<Field> message) {
        if (settings.levelMax().isEmpty() && filter.isEmpty()) {
            return true;
        }
        int most = settings.levelMax().orElse(LEAST_IMPORTANT);
        return value(message, "PRIORITY").filter(field -> level(field) > most).isEmpty()
                && value(message, "MESSAGE")
                        .filter(field -> !filter.admits(field.value()))
                        .isEmpty();
    }

    private static Optional<Field> value(List<Field> message, String name) {
        return message.stream().filter(field -> field.hasName(name)).findFirst();
    }

    private static int level(Field priority) {
        byte[] digits = priority.value();
        return digits.length == 1 && digits[0] >= '0' && digits[0] <= '7' ? digits[0] - '0' : 0;
    }

    /** Returns the rate of a unit; a 0 for either of its parts means that there is no limit. */
    private BurstLimit.Rate rate(UnitSettings settings) {
        long burst = settings.rateBurst().orElse(limit.usual().burst());
        long micros = settings.rateInterval().orElse(-1);
        long interval =
                settings.rateInterval().isEmpty()
                        ? limit.usual().interval()
                        : micros < 0 || micros > LONGEST ? Long.MAX_VALUE : micros * 1000;
        return burst == 0 || interval == 0
                ? UNLIMITED
                : new BurstLimit.Rate(burst < 0 ? Long.MAX_VALUE : burst, interval);
    }

    /** Stores how many messages were dropped in an interval that is over. */
    private void report(String who, Attribution.Known sender, Optional<String> unit) {
        long dropped = limit.renew(who);
        if (dropped == 0) {
            return;
        }
        List<Field> fields = new ArrayList<>();
        fields.add(Field.of("MESSAGE", "Suppressed " + dropped + " messages from " + who));
        fields.add(Field.of("PRIORITY", "4"));
        fields.add(Field.of("SYSLOG_IDENTIFIER", "holdfast"));
        fields.add(Field.of("N_DROPPED", Long.toString(dropped)));
        unit.ifPresent(name -> fields.add(Field.of("OBJECT_SYSTEMD_UNIT", name)));
        fields.add(Field.of("OBJECT_UID", Long.toString(sender.uid())));
        fields.add(Field.of("_TRANSPORT", "driver"));
        addMachine(fields);
        store(0, fields);
    }

    private List<Field> complete(
            Field transport,
            Attribution.Known sender,
            Optional<String> unit,
            UnitSettings settings,
            Optional<String> invocation,
            List<Field> message) {
        List<Field> fields = new ArrayList<>(message.size() + sender.fields().size() + 8);
        fields.addAll(message);
        fields.add(transport);
        for (Field field : sender.fields()) {
            if (unit.isEmpty() || !field.hasName("_SYSTEMD_UNIT")) {
                fields.add(field);
            }
        }
        unit.ifPresent(name -> fields.add(Field.of("_SYSTEMD_UNIT", name)));
        invocation
                .or(settings::invocationId)
                .ifPresent(id -> fields.add(Field.of("_SYSTEMD_INVOCATION_ID", id)));
        fields.addAll(settings.extraFields());
        addMachine(fields);
        return fields;
    }

    private void addMachine(List<Field> fields) {
        fields.add(machine);
        fields.add(boot);
        fields.add(hostname());
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
        accepted++;
        if (waiting || !isOffered(entry)) {
            refused.add(entry);
            if (!waiting) {
                waiting = true;
                List.copyOf(sources).forEach(source -> source.listen(false));
                store.whenThereIsRoom(() -> loop.postEnding(this::resume));
            }
        }
        if (!isInTurn) {
            store.wake();
        }
    }

    /**
     * Offers an entry to the store; before the loop runs, waits for room: the streams of an earlier
     * receiver may have more lines than memory should hold.
     */
    private boolean isOffered(StoredEntry entry) {
        while (!store.offer(entry)) {
            if (isRunning) {
                return false;
            }
            try {
                store.flush();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return false;
            }
        }
        return true;
    }

    private void resume() {
        while (!refused.isEmpty()) {
            if (!store.offer(refused.getFirst())) {
                store.wake();
                store.whenThereIsRoom(() -> loop.postEnding(this::resume));
                return;
            }
            refused.removeFirst();
        }
        store.wake();
        waiting = false;
        List.copyOf(sources).forEach(source -> source.listen(true));
    }
}
