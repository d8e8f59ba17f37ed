package io.holdfast.manager.survival;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.EventLoop;
import io.holdfast.core.Fd;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.socket.UnixListener;
import io.holdfast.core.state.Fields;
import io.holdfast.core.state.StateFolder;
import io.holdfast.manager.unit.UnitName;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.LongFunction;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What units do so that they outlive their manager: they keep descriptors ({@link #keep}) and write
 * themselves down, before anything is begun that a crash must not leave unknown ({@link #write}),
 * else once a turn of the loop ({@link #changed}). The next manager finds both.
 *
 * <p>Without a keeper nothing is kept and nothing is written. On the loop.
 */
public final class Survival {
    /** The file of the manager itself; that of a unit has a suffix. */
    private static final String MANAGER = "manager";

    private final @Nullable Keeper keeper;
    private final @Nullable StateFolder folder;
    private final Consumer<String> warnings;
    private final Set<UnitName> changed = new LinkedHashSet<>();
    private final List<Runnable> afterwards = new ArrayList<>();
    private final Set<String> written = new HashSet<>();
    private final Map<String, List<Fd>> found = new LinkedHashMap<>();
    private Map<String, Fields> states = Map.of();
    private @Nullable EventLoop loop;
    private Function<UnitName, Optional<Fields>> describe = _ -> Optional.empty();

    private boolean isAfterCrash;
    private volatile Predecessor predecessor = Predecessor.NONE;

    /** Of a manager that nothing outlives. */
    public static Survival none() {
        return new Survival();
    }

    private Survival() {
        keeper = null;
        folder = null;
        warnings = _ -> {};
    }

    /**
     * Finds what an earlier manager has left.
     *
     * @param keeper lent
     * @param folder of which nobody else writes; owned from now on
     * @param warnings gets a line for each thing that is not kept, or does not count
     */
    public Survival(Keeper keeper, StateFolder folder, Consumer<String> warnings) {
        this.keeper = keeper;
        this.folder = folder;
        this.warnings = warnings;
        keeper.ownsStates();
        keeper.store().read(found::put);
        take(Keeper.PRINTED_LINES).forEach(Fd::close); // whoever prints has found them
        states =
                new LinkedHashMap<>(
                        folder.read(
                                (name, why) -> warnings.accept(name + " is not adopted: " + why)));
        Fields manager = states.remove(MANAGER);
        isAfterCrash = manager != null;
        predecessor =
                manager == null ? Predecessor.NONE : Predecessor.of(manager, keeper.store().id());
        written.addAll(states.keySet());
        writeManager();
    }

    private void writeManager() {
        writeManager(predecessor::record);
    }

    private void writeManager(LongFunction<Fields> record) {
        if (folder != null && keeper != null) {
            FaultPoint.STATE.pass();
            try {
                folder.write(MANAGER, record.apply(keeper.store().id()));
            } catch (ErrnoException e) {
                warnings.accept("this manager is not written down: " + e.getMessage());
            }
        }
    }

    /** It stops everything and ends so; so does the next one, should this one be killed. */
    public void stopping(ManagerEnd end) {
        if (keeper != null) {
            predecessor = predecessor.stops(end);
            writeManager();
        }
    }

    /**
     * Writes everything down for the next manager: this one ends by itself, as if it were killed.
     * When the loop has stopped.
     */
    public void handOver() {
        writeChanged();
        if (keeper != null) {
            writeManager(predecessor::handsOver);
        }
    }

    /** What it was started for is done, and not to be done again by the next one. */
    public void begun() {
        if (keeper != null) {
            predecessor = predecessor.begins();
            writeManager();
        }
    }

    /** The manager before this one, and how many of its units were adopted. */
    public Predecessor predecessor() {
        return predecessor;
    }

    /** So many units were adopted. */
    public void adopted(int units) {
        predecessor = predecessor.adopted(units);
    }

    /** Whether anything outlives this manager. */
    public boolean isOn() {
        return keeper != null;
    }

    /** Whether there was a manager before this one, which was killed. */
    public boolean isAfterCrash() {
        return isAfterCrash;
    }

    /**
     * From now on units are written down.
     *
     * @param describe what is to be written of a unit; empty: nothing
     */
    public void begin(EventLoop loop, Function<UnitName, Optional<Fields>> describe) {
        if (keeper == null) {
            return;
        }
        this.loop = loop;
        this.describe = describe;
    }

    // ---- what an earlier manager has left

    /** What it has written down, by the names of units. */
    public Map<String, Fields> states() {
        return states;
    }

    /** What it has kept under a key, if anything: owned by the caller, and kept on. */
    public List<Fd> take(String key) {
        List<Fd> descriptors = found.remove(key);
        return descriptors == null ? List.of() : descriptors;
    }

    /** The keys that begin so. */
    public List<String> keys(String prefix) {
        return found.keySet().stream().filter(key -> key.startsWith(prefix)).toList();
    }

    /**
     * All that was to be adopted has been: lets go of the rest.
     *
     * @param closer owns what is left: its close may take as long as whoever sent it likes
     */
    public void forgetRest(Consumer<Fd> closer) {
        if (keeper == null) {
            return;
        }
        found.keySet().forEach(keeper.store()::remove);
        keeper.store().closeRemoved();
        found.values().forEach(left -> left.forEach(closer));
        found.clear();
        states = Map.of();
    }

    // ---- descriptors

    /** Keeps descriptors, which stay the caller's, until {@link #drop}. */
    public void keep(String key, List<Fd> descriptors) {
        if (keeper == null) {
            return;
        }
        FaultPoint.STATE.pass();
        try {
            keeper.store()
                    .put(key, descriptors)
                    .ifPresent(why -> warnings.accept(key + " does not outlive a crash: " + why));
        } catch (ErrnoException e) {
            warnings.accept(key + " does not outlive a crash: " + e.getMessage());
        }
    }

    /** Keeps what the key had no longer; the last descriptor of it may be closed later. */
    public void drop(String key) {
        if (keeper != null) {
            FaultPoint.STATE.pass();
            keeper.store().remove(key);
        }
    }

    /**
     * The same for what others see closed: a connection, or a socket that listens. Whoever calls
     * this has descriptors of it yet, and closes them behind it where a close may block.
     */
    public void dropAndClose(String key) {
        drop(key);
        if (keeper != null) {
            keeper.store().closeRemoved();
        }
    }

    /**
     * A listener that outlives the manager, with those who wait to be accepted: that of an earlier
     * one, else a new one.
     */
    public UnixListener listener(UnixAddress address, Supplier<UnixListener> listen) {
        String key = "face " + address;
        List<Fd> kept = take(key);
        UnixListener listener =
                kept.size() == 1 ? UnixListener.takeOver(kept.getFirst(), address) : listen.get();
        keep(key, List.of(listener.fd()));
        return listener;
    }

    /** The status of whatever has ended and come to the keeper is known. */
    public void reap() {
        if (keeper != null) {
            FaultPoint.STATE.pass();
            keeper.reap();
        }
    }

    /** The loop runs no longer, and nothing is left to be written down. */
    public void end() {
        loop = null;
        changed.clear();
        List<Runnable> tasks = List.copyOf(afterwards);
        afterwards.clear();
        tasks.forEach(Runnable::run);
        if (folder != null) {
            written.forEach(folder::remove); // not that it stops: so does the next one, if need be
            folder.close();
        }
    }

    // ---- states

    /** Something of a unit is another: it is written down before long. */
    public void changed(UnitName unit) {
        EventLoop at = loop;
        if (at == null) {
            return;
        }
        if (changed.isEmpty() && afterwards.isEmpty()) {
            at.postEnding(this::writeChanged);
        }
        changed.add(unit);
    }

    /**
     * Does something that makes the state of this moment all that is known: when what changed is
     * written down.
     */
    public void whenWritten(Runnable task) {
        EventLoop at = loop;
        if (at == null) {
            task.run();
            return;
        }
        if (changed.isEmpty() && afterwards.isEmpty()) {
            at.postEnding(this::writeChanged);
        }
        afterwards.add(task);
    }

    private void writeChanged() {
        Set<UnitName> now = new LinkedHashSet<>(changed);
        changed.clear();
        now.forEach(this::write);
        List<Runnable> tasks = List.copyOf(afterwards);
        afterwards.clear();
        tasks.forEach(Runnable::run);
    }

    /** Writes a unit down as it is now. */
    public void write(UnitName unit) {
        if (folder == null || loop == null) {
            return;
        }
        FaultPoint.STATE.pass();
        changed.remove(unit);
        Optional<Fields> state = describe.apply(unit);
        try {
            if (state.isPresent()) {
                folder.write(unit.text(), state.get());
                boolean _ = written.add(unit.text());
            } else if (written.remove(unit.text())) {
                folder.remove(unit.text());
            }
        } catch (ErrnoException e) {
            warnings.accept(unit + " does not outlive a crash: " + e.getMessage());
        }
    }
}
