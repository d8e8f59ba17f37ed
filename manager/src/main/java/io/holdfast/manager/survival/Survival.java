package io.holdfast.manager.survival;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.EventLoop;
import io.holdfast.core.Fd;
import io.holdfast.manager.unit.UnitName;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * What units do so that they outlive their manager: they keep descriptors ({@link #keep}) and write
 * themselves down, before anything is begun that a crash must not leave unknown ({@link #write}),
 * else once a turn of the loop ({@link #changed}). The next manager finds both.
 *
 * <p>Without a keeper nothing is kept and nothing is written. On the loop.
 */
public final class Survival {
    /** Of a manager that nothing outlives. */
    public static final Survival NONE = new Survival();

    private final @Nullable Keeper keeper;
    private final @Nullable StateFolder folder;
    private final Consumer<String> warnings;
    private final Set<UnitName> changed = new LinkedHashSet<>();
    private final Set<String> written = new HashSet<>();
    private final Map<String, List<Fd>> found = new LinkedHashMap<>();
    private Map<String, Fields> states = Map.of();
    private @Nullable EventLoop loop;
    private Function<UnitName, Optional<Fields>> describe = _ -> Optional.empty();

    private Survival() {
        keeper = null;
        folder = null;
        warnings = _ -> {};
    }

    /**
     * Finds what an earlier manager has left.
     *
     * @param keeper lent
     * @param folder owned from now on
     * @param warnings gets a line for each thing that is not kept, or does not count
     */
    public Survival(Keeper keeper, StateFolder folder, Consumer<String> warnings) {
        this.keeper = keeper;
        this.folder = folder;
        this.warnings = warnings;
        keeper.store().read(found::put);
        states = folder.read((name, why) -> warnings.accept(name + " is not taken back: " + why));
        written.addAll(states.keySet());
    }

    /** Whether anything outlives this manager. */
    public boolean isOn() {
        return keeper != null;
    }

    /** Whether there was a manager before this one, which was killed. */
    public boolean isAfterCrash() {
        return !states.isEmpty() || !found.isEmpty();
    }

    /**
     * From now on units are written down.
     *
     * @param describe what is to be written of a unit; empty: nothing
     */
    public void begin(EventLoop loop, Function<UnitName, Optional<Fields>> describe) {
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

    /** All that was to be taken back has been: lets go of the rest. */
    public void forgetRest() {
        if (keeper == null) {
            return;
        }
        for (Map.Entry<String, List<Fd>> left : found.entrySet()) {
            left.getValue().forEach(Fd::close);
            keeper.store().remove(left.getKey());
        }
        found.clear();
        states = Map.of();
    }

    // ---- descriptors

    /** Keeps descriptors, which stay the caller's, until {@link #drop}. */
    public void keep(String key, List<Fd> descriptors) {
        if (keeper == null) {
            return;
        }
        try {
            keeper.store()
                    .put(key, descriptors)
                    .ifPresent(why -> warnings.accept(key + " does not outlive a crash: " + why));
        } catch (ErrnoException e) {
            warnings.accept(key + " does not outlive a crash: " + e.getMessage());
        }
    }

    public void drop(String key) {
        if (keeper != null) {
            keeper.store().remove(key);
        }
    }

    /** The status of whatever has ended and come to the keeper is known. */
    public void reap() {
        if (keeper != null) {
            keeper.reap();
        }
    }

    /** This manager ends by itself, and nothing of it outlives it. */
    public void end() {
        if (folder != null) {
            folder.clear();
            folder.close();
        }
        loop = null;
    }

    // ---- states

    /** Something of a unit is another: it is written down before long. */
    public void changed(UnitName unit) {
        EventLoop at = loop;
        if (at != null && changed.add(unit) && changed.size() == 1) {
            at.postEnding(this::writeChanged);
        }
    }

    private void writeChanged() {
        Set<UnitName> now = new LinkedHashSet<>(changed);
        changed.clear();
        now.forEach(this::write);
    }

    /** Writes a unit down as it is now. */
    public void write(UnitName unit) {
        if (folder == null || loop == null) {
            return;
        }
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
