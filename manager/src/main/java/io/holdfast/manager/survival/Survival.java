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
 * The means by which units outlive their manager. They keep descriptors ({@link #keep}), and write
 * records of their state: before each step that must not be lost in a crash ({@link #write}),
 * otherwise once per turn of the loop ({@link #changed}). The next manager finds both.
 *
 * <p>Without a keeper nothing is kept and nothing is written. Used on the event loop.
 */
public final class Survival {
    /** The name of the record of the manager itself; names of units have a suffix. */
    private static final String MANAGER = "manager";

    private final @Nullable Keeper keeper;
    private final @Nullable StateFolder folder;
    private final Consumer<String> warnings;
    private final Set<UnitName> changed = new LinkedHashSet<>();
    private final List<Runnable> afterwards = new ArrayList<>();
    private final Set<String> written = new HashSet<>();
    private final Set<String> unrecorded = new HashSet<>(); // since their last warning
    private final Map<String, List<Fd>> found = new LinkedHashMap<>();
    private Map<String, Fields> states = Map.of();
    private @Nullable EventLoop loop;
    private Function<UnitName, Optional<Fields>> describe = _ -> Optional.empty();

    private boolean isAfterCrash;
    private volatile Predecessor predecessor = Predecessor.NONE;

    /** Returns the instance for a manager without a keeper, which nothing outlives. */
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
     * @param keeper not closed by this
     * @param folder written by no other process; closed by this
     * @param warnings receives a line for each thing that is not kept, or not adopted
     */
    public Survival(Keeper keeper, StateFolder folder, Consumer<String> warnings) {
        this.keeper = keeper;
        this.folder = folder;
        this.warnings = warnings;
        keeper.ownsStates();
        keeper.store().read(found::put);
        take(Keeper.PRINTED_LINES).forEach(Fd::close); // the printer has taken its own already
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
                boolean _ = unrecorded.remove(MANAGER);
            } catch (ErrnoException e) {
                if (unrecorded.add(MANAGER)) {
                    warnings.accept("cannot record the manager's state: " + e.getMessage());
                }
            }
        }
    }

    /**
     * Records that the manager stops everything, and how it then ends; if it is killed meanwhile,
     * the next one does the same.
     */
    public void stopping(ManagerEnd end) {
        if (keeper != null) {
            predecessor = predecessor.stops(end);
            writeManager();
        }
    }

    /**
     * Writes all records for the next manager: this one ends on its own, as if it were killed.
     * Called when the loop has stopped.
     */
    public void handOver() {
        writeChanged();
        if (keeper != null) {
            writeManager(predecessor::handsOver);
        }
    }

    /** Records that the task of the manager is done, so that the next one does not repeat it. */
    public void begun() {
        if (keeper != null) {
            predecessor = predecessor.begins();
            writeManager();
        }
    }

    /** Returns what is known of the previous managers, including how many units were adopted. */
    public Predecessor predecessor() {
        return predecessor;
    }

    /** Sets how many units were adopted. */
    public void adopted(int units) {
        predecessor = predecessor.adopted(units);
    }

    /** Returns whether anything outlives this manager. */
    public boolean isOn() {
        return keeper != null;
    }

    /** Returns whether there was a previous manager, which was killed. */
    public boolean isAfterCrash() {
        return isAfterCrash;
    }

    /**
     * Begins to write records.
     *
     * @param describe returns the record of a unit; empty if there is nothing to record
     */
    public void begin(EventLoop loop, Function<UnitName, Optional<Fields>> describe) {
        if (keeper == null) {
            return;
        }
        this.loop = loop;
        this.describe = describe;
    }

    // ---- what an earlier manager has left

    /** Returns its records, by the names of units. */
    public Map<String, Fields> states() {
        return states;
    }

    /**
     * Returns the descriptors that it has kept under a key, if any; they are still kept, and the
     * caller closes its own.
     */
    public List<Fd> take(String key) {
        List<Fd> descriptors = found.remove(key);
        return descriptors == null ? List.of() : descriptors;
    }

    public List<String> keys(String prefix) {
        return found.keySet().stream().filter(key -> key.startsWith(prefix)).toList();
    }

    /**
     * Drops everything that was not adopted.
     *
     * @param closer closes the remaining descriptors; a close may take as long as their sender
     *     likes
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

    /**
     * Keeps descriptors until {@link #drop}, which may close the last descriptor of a file later.
     * The caller still closes its own.
     */
    public void keep(String key, List<Fd> descriptors) {
        if (keeper != null) {
            DescriptorStore store = keeper.store();
            keep(key, () -> store.put(key, descriptors));
        }
    }

    /**
     * Keeps descriptors whose close other processes notice, such as a connection or a listening
     * socket: {@link #drop} closes them at once. The caller still has its own descriptors, and
     * closes them after the drop where a close may block.
     */
    public void keepClosable(String key, List<Fd> descriptors) {
        if (keeper != null) {
            DescriptorStore store = keeper.store();
            keep(key, () -> store.putInCell(key, descriptors));
        }
    }

    private void keep(String key, Supplier<Optional<String>> put) {
        FaultPoint.STATE.pass();
        try {
            put.get()
                    .ifPresent(why ->
                            warnings.accept(key + " is lost if the manager crashes: " + why));
        } catch (ErrnoException e) {
            warnings.accept(key + " is lost if the manager crashes: " + e.getMessage());
        }
    }

    /** Drops what is kept under a key. */
    public void drop(String key) {
        if (keeper != null) {
            FaultPoint.STATE.pass();
            keeper.store().remove(key);
        }
    }

    /**
     * Returns a listener that outlives the manager, with its backlog: that of an earlier manager,
     * otherwise a new one.
     */
    public UnixListener listener(UnixAddress address, Supplier<UnixListener> listen) {
        String key = "face " + address;
        List<Fd> kept = take(key);
        UnixListener listener =
                kept.size() == 1 ? UnixListener.takeOver(kept.getFirst(), address) : listen.get();
        keep(key, List.of(listener.fd()));
        return listener;
    }

    /** Lets the keeper reap its zombies, because their exit statuses are recorded. */
    public void reap() {
        if (keeper != null) {
            FaultPoint.STATE.pass();
            keeper.reap();
        }
    }

    /** Ends the records; called when the loop no longer runs. */
    public void end() {
        loop = null;
        changed.clear();
        List<Runnable> tasks = List.copyOf(afterwards);
        afterwards.clear();
        tasks.forEach(Runnable::run);
        if (folder != null) {
            written.forEach(folder::remove); // the manager's record stays: a next one stops too
            folder.close();
        }
    }

    // ---- states

    /** Schedules the record of a unit whose state has changed. */
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
     * Runs a task that makes the present state irrecoverable, such as reaping, after the changes
     * have been recorded.
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

    /** Writes the record of a unit now. */
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
            boolean _ = unrecorded.remove(unit.text());
        } catch (ErrnoException e) {
            if (unrecorded.add(unit.text())) {
                warnings.accept(unit + " is lost if the manager crashes: " + e.getMessage());
            }
        }
    }
}
