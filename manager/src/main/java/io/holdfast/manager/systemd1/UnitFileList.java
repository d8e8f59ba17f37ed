package io.holdfast.manager.systemd1;

import io.holdfast.manager.ManagerView;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.file.LoadPath;
import io.holdfast.manager.unit.file.UnitSource;
import io.holdfast.manager.unit.install.InstallFolders;
import io.holdfast.manager.unit.install.UnitFileStates;
import io.holdfast.manager.unit.section.Unit;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * The installed unit files and whether they are enabled, for {@code ListUnitFiles}.
 *
 * <p>The list costs a look at every unit file, and every user may request it without limit.
 * Therefore only one list is made at a time: requests that arrive meanwhile share the next list,
 * because files may have changed since the present one was begun. The parsed units are dropped
 * before the worker ends; only names, paths and states are kept, and shared. Used on the manager's
 * event loop.
 */
final class UnitFileList {
    /**
     * A unit file.
     *
     * @param path ends with the unit's name: an alias or a mask is a link of that name
     * @param state as {@code systemctl is-enabled} prints it
     */
    record Entry(String name, String path, String state) {}

    private final ManagerView manager;
    private @Nullable CompletableFuture<List<Entry>> running;
    private @Nullable CompletableFuture<List<Entry>> next;

    UnitFileList(ManagerView manager) {
        this.manager = manager;
    }

    /** Returns a list that is begun now or later. */
    CompletableFuture<List<Entry>> read() {
        if (running == null) {
            CompletableFuture<List<Entry>> list = new CompletableFuture<>();
            start(list);
            return list;
        }
        CompletableFuture<List<Entry>> following = next;
        if (following == null) {
            following = new CompletableFuture<>();
            next = following;
        }
        return following;
    }

    private void start(CompletableFuture<List<Entry>> list) {
        running = list;
        InstallFolders folders = manager.files().folders();
        var _ =
                manager.files()
                        .installed(units -> entries(folders, units))
                        .whenComplete((entries, failure) -> ended(list, entries, failure));
    }

    private void ended(
            CompletableFuture<List<Entry>> list,
            @Nullable List<Entry> entries,
            @Nullable Throwable failure) {
        CompletableFuture<List<Entry>> following = next;
        running = null;
        next = null;
        if (following != null) {
            start(following);
        }
        if (entries == null) {
            list.completeExceptionally(
                    failure == null ? new IllegalStateException("no list") : failure);
        } else {
            list.complete(entries);
        }
    }

    /** Blocking. */
    private static List<Entry> entries(InstallFolders folders, Map<UnitName, Unit> units) {
        UnitFileStates states = UnitFileStates.read(folders);
        List<Entry> list = new ArrayList<>(units.size());
        units.forEach((name, unit) ->
                list.add(
                        new Entry(
                                name.text(),
                                shown(folders.path(), name, unit.source()),
                                state(states.of(name, unit)))));
        return List.copyOf(list);
    }

    /** A name without a file is that of a link that leads nowhere. */
    private static String state(UnitFileStates.State state) {
        return (state == UnitFileStates.State.NOT_FOUND ? UnitFileStates.State.BAD : state).word();
    }

    private static String shown(LoadPath path, UnitName name, UnitSource source) {
        Path fragment = source.fragment().orElse(Path.of("/" + name));
        if (fragment.getFileName().toString().equals(name.text())) {
            return fragment.toString();
        }
        return path.folders().stream()
                .map(folder -> folder.resolve(name.text()))
                .filter(Files::isSymbolicLink)
                .findFirst()
                .orElse(fragment.resolveSibling(name.text()))
                .toString();
    }
}
